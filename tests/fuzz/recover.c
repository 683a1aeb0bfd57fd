/* The recovery of one record with any bytes in it, by a whole agent whose keeper knows nobody. What
 * was taken over is then shown in full, and ended. */
#include "agent/recover.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit/stage.h"
#include "agent/state.h"
#include "common/file.h"
#include "fuzz.h"

/* The boot that the seeds are of. */
#define BOOT "01234567-89ab-cdef-0123-456789abcdef"

/* One agent for all inputs. */
static struct stage *stage_of_all(void) {
    static struct stage stage;
    if (!stage.agent) {
        stage_open(&stage);
        strcpy(stage.agent->store.boot, BOOT);
    }
    return &stage;
}

/* The whole of it, for root. */
static void show(struct stage *stage) {
    struct guest guest;
    struct holden_reply reply;
    struct holden_list list = {0};
    HOLDEN_SET(&list, list, ended, true);
    HOLDEN_SET(&list, list, detail, true);
    HOLDEN_SET(&list, list, usage, true);
    stage_guest(stage, &guest, 0);
    guest_ask(&guest, HOLDEN_MESSAGE_list, &list, NULL, 0);
    do
        EXPECT(guest_hears(&guest, &reply));
    while (reply.frame.type == HOLDEN_MESSAGE_process);
    EXPECT(reply.frame.type == HOLDEN_MESSAGE_end || reply.frame.type == HOLDEN_MESSAGE_error);
    guest_close(&guest);
}

/* Before libFuzzer opens anything. Always 0. */
int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
    stage_reserve();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct packet packet;
    struct stage *stage = stage_of_all();
    struct agent *agent = stage->agent;
    const struct keeper_reply nobody = {.kind = KEEPER_ADOPT};
    EXPECT(file_replace(agent->store.records, "5", data, size, 0600) == 0);
    EXPECT(send(stage->keeper, &nobody, sizeof(nobody), 0) == sizeof(nobody));
    EXPECT(recover(agent) == 0);
    EXPECT(agent->processes.count <= 1); /* alive where it is to be started again */
    show(stage);
    while (!TAILQ_EMPTY(&agent->processes.order))
        process_free(TAILQ_FIRST(&agent->processes.order));
    while (stage_packet(stage, &packet))
        packet_close(&packet);
    unlinkat(agent->store.records, "5", 0);
    unlinkat(agent->store.root, "refused/5", 0);
    return 0;
}

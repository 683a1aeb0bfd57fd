#include "monitor/series.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void series_free(struct series_list *list) {
    for (size_t i = 0; i < list->count; i++) {
        free(list->series[i]->points);
        free(list->series[i]);
    }
    free(list->series);
    *list = (struct series_list){0};
}

static size_t place(const struct series_list *list, uint64_t key) {
    size_t low = 0;
    size_t high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list->series[middle]->key < key)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The series of the row, made where there is none; NULL for want of memory. */
static struct series *find(struct series_list *list, const struct row *row) {
    size_t at = place(list, row_key(row));
    if (at < list->count && list->series[at]->key == row_key(row))
        return list->series[at];
    if (list->count == list->space) {
        size_t space = list->space ? list->space * 2 : 16;
        struct series **larger = realloc(list->series, space * sizeof(struct series *));
        if (!larger)
            return NULL;
        list->series = larger;
        list->space = space;
    }
    struct series *series = calloc(1, sizeof(*series));
    if (!series)
        return NULL;
    series->key = row_key(row);
    series->agent = row->agent;
    series->id = row->id;
    memmove(list->series + at + 1, list->series + at, (list->count - at) * sizeof(struct series *));
    list->series[at] = series;
    list->count++;
    return series;
}

static void describe(struct series *series, const struct row *row, struct users *users) {
    struct holden_view user = row->dynamic_user;
    if (user.size == 0)
        user = holden_view(user_name(users, row->user));
    snprintf(series->name, sizeof(series->name), "%.*s", (int)row->name.size, row->name.data);
    snprintf(series->command, sizeof(series->command), "%.*s", (int)row->command.size,
             row->command.size ? row->command.data : "");
    snprintf(series->user, sizeof(series->user), "%.*s", (int)user.size, user.data);
    series->state = row->state;
    series->frozen = row->frozen;
    series->memory_limit = row->memory_limit;
    series->tasks_limit = row->tasks_limit;
    series->cpu = row->usage.cpu;
    uint64_t memory = HOLDEN_HAS(&row->usage, usage, memory_peak) ? row->usage.memory_peak
                                                                  : row->usage.memory;
    series->memory_peak = memory > series->memory_peak ? memory : series->memory_peak;
}

static void halve(struct series *series) {
    size_t kept = 0;
    for (size_t i = 0; i < series->count; i += 2)
        series->points[kept++] = series->points[i];
    series->count = kept;
}

static int add_point(struct series *series, const struct row *row, uint64_t time) {
    if (series->count == SERIES_POINTS)
        halve(series);
    if (series->count == series->space) {
        size_t space = series->space ? series->space * 2 : 16;
        struct series_point *larger =
            realloc(series->points, space * sizeof(struct series_point));
        if (!larger)
            return -ENOMEM;
        series->points = larger;
        series->space = space;
    }
    struct series_point *point = &series->points[series->count++];
    point->time = time;
    row_metrics(row, point->values);
    return 0;
}

static bool is_named(const struct row *row, const char *const *names, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (holden_view_is(row->name, names[i]))
            return true;
    return count == 0;
}

int series_take(struct series_list *list, const struct feed *feed, const char *const *names,
                size_t count, struct users *users) {
    for (size_t i = 0; i < feed->model.count; i++) {
        const struct row *row = feed->model.rows[i];
        if (!is_named(row, names, count))
            continue;
        struct series *series = find(list, row);
        if (!series)
            return -ENOMEM;
        describe(series, row, users);
        int r = row_lives(row) ? add_point(series, row, feed->time) : 0;
        if (r < 0)
            return r;
    }
    return 0;
}

#include "daemon/quota.h"

#include <errno.h>

#include "suite.h"

static const uint64_t SECOND = 1000000;

static struct quotas of(struct quota_bounds bounds) {
    return (struct quotas){.bounds = bounds};
}

TEST(root_has_none) {
    struct quotas quotas = of((struct quota_bounds){1, 1, 1, 1});
    struct quota *root;
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(quota_connect(&quotas, 0, 0, &root), 0);
        assert_null(root);
        assert_true(quota_request(&quotas, root, 0));
    }
    assert_false(quota_overfull(&quotas, root));
    assert_int_equal(quota_share(&quotas, root, 1 << 20), 1 << 20);
    quota_disconnect(root);
    quotas_free(&quotas);
}

TEST(connections_of_one_do_not_count_for_another) {
    struct quotas quotas = of((struct quota_bounds){.connections = 2});
    struct quota *one, *other, *none;
    assert_int_equal(quota_connect(&quotas, 1, 0, &one), 0);
    assert_int_equal(quota_connect(&quotas, 1, 0, &one), 0);
    assert_int_equal(quota_connect(&quotas, 1, 0, &none), -EDQUOT);
    assert_null(none);
    assert_int_equal(one->refused, 1);
    assert_int_equal(quota_connect(&quotas, 2, 0, &other), 0);
    quota_disconnect(one);
    assert_int_equal(quota_connect(&quotas, 1, 0, &one), 0);
    quotas_free(&quotas);
}

TEST(a_burst_and_then_the_rate) {
    struct quotas quotas = of((struct quota_bounds){.requests = 10, .burst = 5});
    struct quota *quota;
    uint64_t now = 7 * SECOND;
    assert_int_equal(quota_connect(&quotas, 1, now, &quota), 0); /* counts as one */
    for (unsigned i = 0; i < 4; i++)
        assert_true(quota_request(&quotas, quota, now));
    assert_false(quota_request(&quotas, quota, now));
    assert_false(quota_request(&quotas, quota, now + SECOND / 10 - 1));
    assert_true(quota_request(&quotas, quota, now + SECOND / 10));
    assert_false(quota_request(&quotas, quota, now + SECOND / 10));
    assert_int_equal(quota->refused, 3);
    unsigned done = 0;
    for (unsigned i = 0; i < 1000; i++)
        done += quota_request(&quotas, quota, now + SECOND / 10 + i * (SECOND / 100));
    assert_in_range(done, 99, 101);
    quotas_free(&quotas);
}

TEST(nobody_gets_a_new_burst_by_connecting_again) {
    struct quotas quotas = of((struct quota_bounds){.requests = 10, .burst = 2});
    struct quota *quota, *other;
    uint64_t now = SECOND;
    assert_int_equal(quota_connect(&quotas, 1, now, &quota), 0);
    assert_true(quota_request(&quotas, quota, now));
    quota_disconnect(quota);
    assert_int_equal(quota_connect(&quotas, 2, now, &other), 0);
    assert_int_equal(quota_connect(&quotas, 1, now, &quota), -EBUSY);
    /* Once it no longer counts, nothing of who has gone is kept. */
    assert_int_equal(quota_connect(&quotas, 3, now + SECOND, &other), 0);
    assert_null(quota_find(&quotas, 1));
    assert_non_null(quota_find(&quotas, 2));
    quotas_free(&quotas);
}

TEST(what_may_wait_is_shared) {
    struct quotas quotas = of((struct quota_bounds){.queue = 1 << 20});
    struct quota *quota;
    assert_int_equal(quota_connect(&quotas, 1, 0, &quota), 0);
    assert_int_equal(quota_share(&quotas, quota, 1 << 19), 1 << 19);
    for (unsigned i = 1; i < 16; i++)
        assert_int_equal(quota_connect(&quotas, 1, 0, &quota), 0);
    assert_int_equal(quota_share(&quotas, quota, 1 << 19), 1 << 16);
    quota->queued = 1 << 20;
    assert_false(quota_overfull(&quotas, quota));
    quota->queued++;
    assert_true(quota_overfull(&quotas, quota));
    quotas_free(&quotas);
}

TEST(no_bound_is_none) {
    struct quotas quotas = of(
        (struct quota_bounds){UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX});
    struct quota *quota;
    for (unsigned i = 0; i < 5000; i++) {
        assert_int_equal(quota_connect(&quotas, 1, 0, &quota), 0);
        assert_true(quota_request(&quotas, quota, 0));
    }
    quota->queued = UINT64_MAX - 1;
    assert_false(quota_overfull(&quotas, quota));
    quotas_free(&quotas);
}

UNIT_MAIN

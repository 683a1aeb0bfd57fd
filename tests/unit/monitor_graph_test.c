/* The graph: which dots, levels, colours and lines. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "monitor/graph.h"
#include "suite.h"

static void line_is(const struct graph *graph, unsigned line, const char *wanted) {
    struct graph_cell cells[GRAPH_WIDTH];
    char text[GRAPH_WIDTH * 4] = "";
    graph_line(graph, line, cells);
    for (unsigned i = 0; i < graph->width; i++)
        strcat(text, cells[i].text);
    assert_string_equal(text, wanted);
}

static const double ramp[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, NAN};

TEST(dots_rise_with_the_value) {
    struct graph graph = {.values = ramp, .width = 5, .height = 1, .top = 4, .high = NAN,
                          .most = NAN, .utf8 = true};
    line_is(&graph, 0, "⢀⣴⣿⣿⡇");
    graph.height = 2;
    graph.top = 8;
    line_is(&graph, 0, "  ⢀⣴⡇");
    line_is(&graph, 1, "⢀⣴⣿⣿⡇");
}

TEST(plain_characters_have_levels) {
    struct graph graph = {.values = ramp, .width = 5, .height = 1, .top = 8, .high = NAN,
                          .most = NAN};
    line_is(&graph, 0, ".:+##");
    graph.top = 4;
    line_is(&graph, 0, ".+###");
}

TEST(limits_are_lines_where_nothing_else_is) {
    struct graph graph = {.values = ramp, .width = 5, .height = 3, .top = 12, .high = 5,
                          .most = 11};
    struct graph_cell cells[GRAPH_WIDTH];
    line_is(&graph, 0, "-----");
    line_is(&graph, 1, "--.+#");
    graph_line(&graph, 0, cells);
    assert_int_equal(cells[0].style, STYLE_BAD);
    graph_line(&graph, 1, cells);
    assert_int_equal(cells[0].style, STYLE_WARN);
    assert_int_equal(cells[3].style, STYLE_GOOD);
}

TEST(what_was_held_back_is_coloured) {
    const double held[] = {0, 0, 0, 50, NAN, NAN, 0, 0, 5, 0};
    struct graph graph = {.values = ramp, .held = held, .width = 5, .height = 1, .top = 8,
                          .high = NAN, .most = NAN};
    struct graph_cell cells[GRAPH_WIDTH];
    graph_line(&graph, 0, cells);
    assert_int_equal(cells[0].style, STYLE_GOOD);
    assert_int_equal(cells[1].style, STYLE_WARN);
    assert_int_equal(cells[2].style, STYLE_GOOD);
    assert_int_equal(cells[4].style, STYLE_WARN);
}

UNIT_MAIN

// Memory in stream order, and graphs: what launches come behind, what edges order, what outlives a launch.
#include "stream_scene.h"

using namespace cnn::test;

TEST(graphs_come_behind_what_their_launch_comes_behind) {
  inEveryOrder("stream_memory_graphs.graphs_come_behind_what_their_launch_comes_behind", [] {
    // Allocated before the capture.
    checkBoth([](Scene& s, bool ordered) {
      s.allocate(s.a);
      s.beginCapture(s.a);
      s.use(s.a);
      const CUgraphExec exec = s.endCapture(s.a);
      if (ordered) s.order(s.a, s.b);
      for (int launch = 0; launch < 3; ++launch) s.launch(exec, s.b);
    }, "kernel `outside` in a graph on", behind);
    // Launches of one executable graph come one after the other.
    checkBoth([](Scene& s, bool ordered) {
      s.allocate(s.a);
      s.beginCapture(s.a);
      s.use(s.a);
      const CUgraphExec exec = s.endCapture(s.a);
      if (ordered) s.launch(exec, s.a);
      s.launch(exec, s.b);
    }, "kernel `outside` in a graph on", behind);
    // What a graph has used comes before the free.
    checkBoth([](Scene& s, bool ordered) {
      s.allocate(s.a);
      s.order(s.a, s.b);
      s.beginCapture(s.b);
      s.use(s.b);
      const CUgraphExec exec = s.endCapture(s.b);
      s.launch(exec, s.b);
      if (ordered) s.order(s.b, s.a);
      s.free(s.a);
    }, "kernel `outside` in a graph on", before);
    // An event that the graph records in its midst, and another graph between.
    checkBoth([](Scene& s, bool ordered) {
      s.beginCapture(s.a);
      s.allocate(s.a);
      s.ok(cuda().get<CUresult(CUevent, CUstream, unsigned)>("cuEventRecordWithFlags")(s.second, s.a, 1));
      const CUgraphExec exec = s.endCapture(s.a);
      s.beginCapture(s.b);
      const CUgraphExec empty = s.endCapture(s.b);
      s.launch(exec, s.a);
      if (ordered) s.wait(s.b, s.second);
      s.launch(empty, s.b);
      s.use(s.b);
    }, theKernel, "behind");
  });
}

TEST(nodes_of_a_graph_are_ordered_by_its_edges) {
  inEveryOrder("stream_memory_graphs.nodes_of_a_graph_are_ordered_by_its_edges", [] {
    checkBoth([](Scene& s, bool ordered) {
      s.beginCapture(s.a);
      s.order(s.a, s.b);
      s.allocate(s.a);
      s.record(s.second, s.a);
      if (ordered) s.wait(s.b, s.second);
      s.use(s.b);
      s.order(s.b, s.a);
      s.free(s.a);
      const CUgraphExec exec = s.endCapture(s.a);
      for (int launch = 0; launch < 3; ++launch) s.launch(exec, s.a);
    }, "kernel `outside` in a graph on", "behind");
    checkBoth([](Scene& s, bool ordered) {
      s.beginCapture(s.a);
      s.allocate(s.a);
      s.order(s.a, s.b);
      s.use(s.b);
      s.record(s.second, s.b);
      if (ordered) s.wait(s.a, s.second);
      s.free(s.a);
      if (!ordered) s.wait(s.a, s.second);
      const CUgraphExec exec = s.endCapture(s.a);
      for (int launch = 0; launch < 3; ++launch) s.launch(exec, s.a);
    }, "kernel `outside` in a graph on", "before its free in a graph on");
  });
}

TEST(memory_of_a_graph_outlives_the_launch_until_it_is_freed) {
  inEveryOrder("stream_memory_graphs.memory_of_a_graph_outlives_the_launch_until_it_is_freed", [] {
    checkBoth([](Scene& s, bool ordered) {
      s.beginCapture(s.a);
      s.allocate(s.a);
      const CUgraphExec exec = s.endCapture(s.a);
      for (int launch = 0; launch < 3; ++launch) {
        s.launch(exec, s.a);
        if (ordered) s.order(s.a, s.b);
        s.use(s.b);
        s.order(s.b, s.a);
        s.free(s.a);
      }
    }, theKernel, "behind");
    checkBoth([](Scene& s, bool ordered) {
      s.beginCapture(s.a);
      s.allocate(s.a);
      const CUgraphExec exec = s.endCapture(s.a);
      s.launch(exec, s.a);
      s.order(s.a, s.b);
      s.use(s.b);
      if (ordered) s.order(s.b, s.a);
      s.free(s.a);
    }, theKernel, before);
  });
}

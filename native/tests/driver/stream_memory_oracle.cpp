// Random programs over streams, events and waits: the emulator reports those that an oracle finds disordered, and no others.
#include "stream_scene.h"

#include <bitset>
#include <random>

using namespace cnn::test;

namespace {

// What is done before what, by sets of operations: the documentation's rules, word for word.
class Oracle {
 public:
  using Set = std::bitset<64>;
  static constexpr int streams = 6, legacy = 0, firstNonBlocking = 3;

  // An operation of the stream; returns what is done before it.
  Set enter(int stream) {
    Set before = ends_[stream] | host_;
    if (stream == legacy) before |= ends_[1] | ends_[2];
    else if (stream < firstNonBlocking) before |= ends_[legacy];
    ends_[stream] = before;
    ends_[stream].set(operations_++);
    return before;
  }
  void record(int event, int stream) {
    enter(stream);
    events_[event] = ends_[stream];
  }
  void wait(int stream, int event) {
    if (events_[event].none()) return;  // never recorded
    ends_[stream] |= events_[event];
    enter(stream);
  }
  void synchronise(int stream) { host_ |= stream == legacy ? ends_[0] | ends_[1] | ends_[2] : ends_[stream]; }
  std::size_t latest() const { return operations_ - 1; }

 private:
  Set ends_[streams], events_[2], host_;
  std::size_t operations_ = 0;
};

// One allocation, uses and a free with random orders between, by the driver and by the oracle. Returns whether all is in order.
bool randomProgram(Scene& s, std::mt19937& random) {
  const CUstream streams[Oracle::streams] = {nullptr, s.d, s.e, s.a, s.b, s.c};
  const CUevent events[] = {s.first, s.second};
  Oracle oracle;
  Oracle::Set uses;
  const auto pick = [&](unsigned n) { return int(random() % n); };
  const int home = pick(Oracle::streams);
  s.allocate(streams[home]);
  oracle.enter(home);
  bool ordered = true;
  for (int step = pick(24); step > 0; --step) {
    const int stream = pick(3) ? home : pick(Oracle::streams), other = pick(Oracle::streams), event = pick(2);
    switch (pick(4)) {
      case 0:
        s.use(streams[stream]);
        ordered &= oracle.enter(stream).test(0);
        uses.set(oracle.latest());
        break;
      case 1:
        s.record(events[event], streams[stream]);
        oracle.record(event, stream);
        break;
      case 2:
        s.wait(streams[other], events[event]);
        oracle.wait(other, event);
        break;
      default:
        s.synchronise(streams[other]);
        oracle.synchronise(other);
    }
  }
  const int last = pick(2) ? home : pick(Oracle::streams);
  s.free(streams[last]);
  const Oracle::Set before = oracle.enter(last);
  return ordered && before.test(0) && (uses & ~before).none();
}

}  // namespace

TEST(random_programs_are_judged_as_the_oracle_does) {
  inEveryOrder("stream_memory_oracle.random_programs_are_judged_as_the_oracle_does", [] {
    int right = 0, wrong = 0;
    for (unsigned seed = 0; seed < 100; ++seed) {
      std::mt19937 random(seed);
      Scene scene;
      const bool ordered = randomProgram(scene, random);
      scene.ok(cuda().cuCtxSynchronize());
      CHECK_EQ(scene.failed, ordered ? CUDA_SUCCESS : CUDA_ERROR_ILLEGAL_ADDRESS);
      ++(ordered ? right : wrong);
    }
    CHECK(right >= 20 && wrong >= 20);
  });
}

// Which work the program has put in order. It follows from the calls alone (streams, events, graphs, waits of the host), not from
// when the work happens to run: a vector clock counts the operations of every chain that are certainly done before another one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace cnn::emu::driver {

// Operations each of which comes after the one before: those of a stream, or of a path through an executable graph.
struct Chain {
  explicit Chain(std::string chainName, std::uint64_t ofGraph = 0) : name(std::move(chainName)), graph(ofGraph) {}
  std::string name;           // for reports: "on stream 0x.."
  const std::uint64_t graph;  // of an executable graph, this one
  std::uint64_t length = 0;
  bool ended = false;    // its stream is destroyed
  bool settled = false;  // ended, and the host knows that all of it is done: everything comes after it
};

struct Moment {
  std::shared_ptr<Chain> chain;
  std::uint64_t number = 0;
};
Moment nextMoment(const std::shared_ptr<Chain>& chain);

// When an operation takes place. What comes after a launch of a graph knows its end, and not the operations inside.
struct When {
  Moment own, graphEnd;
};

class Clock {
 public:
  bool covers(const Moment& moment) const;
  bool covers(const When& when) const { return covers(when.own) || covers(when.graphEnd); }
  void add(const Moment& moment);
  void join(const Clock& other);

  // Behind a wait for a value in memory: whoever wrote the value, and all that came before, is done, but nobody can tell what.
  void coverUnknown(bool unknown = true) { unknown_ = unknown; }
  bool coversUnknown() const { return unknown_; }

  // The end of a graph stands for the operations inside.
  void leave(std::uint64_t graph);
  // Once the host knows the end of a chain nothing needs to remember it. Of the host's own clock.
  void settle();

 private:
  std::vector<Moment> latest_;  // one per chain, by the address of the chain
  bool unknown_ = false;
};

}  // namespace cnn::emu::driver

// Exchange between the lanes of a warp: shfl, vote, match, redux, activemask, lane registers.
#include "corpus.h"

#include <algorithm>

namespace cnn::conformance {
namespace {

// `f(lane, values of the warp)` for every thread.
using WarpFunction = std::function<std::uint64_t(unsigned lane, const std::uint64_t* warp, unsigned thread)>;

std::function<Column(const Columns&)> perWarp(WarpFunction f) {
  return [f](const Columns& in) {
    Column out(threads);
    for (unsigned t = 0; t < threads; ++t) out[t] = f(t % 32, in.empty() ? nullptr : in[0].data() + t / 32 * 32, t);
    return out;
  };
}

void addShuffles(Corpus& corpus) {
  struct Form { const char* mode; int distance, clamp; };
  // The clamp holds the width of a segment in its upper half: 0x1800 splits the warp in segments of 8.
  for (const Form& form : {Form{"up", 3, 0}, {"down", 5, 31}, {"bfly", 16, 31}, {"idx", 7, 31}, {"down", 2, 0x181f}, {"bfly", 1, 0x181f}, {"up", 1, 0x1800}}) {
    const std::string mode = form.mode;
    const auto source = [form, mode](int lane, bool& inside) {
      const int segment = form.clamp >> 8 & 31, clamp = form.clamp & 31;
      const int most = (lane & segment) | (clamp & ~segment), least = lane & segment;
      const int from = mode == "up" ? lane - form.distance : mode == "down" ? lane + form.distance
                       : mode == "bfly" ? lane ^ form.distance : least | (form.distance & ~segment);
      inside = mode == "up" ? from >= most : from <= most;
      return inside ? from : lane;
    };
    const std::string arguments = ", %a, " + std::to_string(form.distance) + ", " + std::to_string(form.clamp) + ", 0xffffffff;";
    const std::string name = "shfl.sync." + mode + ".b32 " + std::to_string(form.distance) + "," + std::to_string(form.clamp);
    corpus.addBody("warp/" + name, "shfl.sync." + mode + ".b32 %o|%p1" + arguments, Type::u32, {{Type::u32}},
                   perWarp([source](unsigned lane, const std::uint64_t* v, unsigned) { bool inside; return v[source(int(lane), inside)]; }));
    corpus.addBody("warp/" + name + " predicate", "shfl.sync." + mode + ".b32 %r8|%p1" + arguments + " selp.u32 %o, 1, 0, %p1;", Type::u32, {{Type::u32}},
                   perWarp([source](unsigned lane, const std::uint64_t*, unsigned) { bool inside; source(int(lane), inside); return std::uint64_t(inside); }));
  }
}

void addVotes(Corpus& corpus) {
  const auto count = [](const std::uint64_t* v) { return std::count_if(v, v + 32, [](std::uint64_t x) { return x & 1; }); };
  const std::string predicate = "and.b32 %r8, %a, 1; setp.ne.u32 %p1, %r8, 0; ";
  corpus.addBody("warp/vote.sync.ballot.b32", predicate + "vote.sync.ballot.b32 %o, %p1, 0xffffffff;", Type::u32, {{Type::u32}},
                 perWarp([](unsigned, const std::uint64_t* v, unsigned) {
    std::uint64_t bits = 0;
    for (int i = 0; i < 32; ++i) bits |= (v[i] & 1) << i;
    return bits;
  }));
  const auto vote = [&](const char* kind, std::function<bool(long)> holds) {
    corpus.addBody(std::string("warp/vote.sync.") + kind + ".pred", predicate + "vote.sync." + kind + ".pred %p2, %p1, 0xffffffff; selp.u32 %o, 1, 0, %p2;", Type::u32,
                   {{Type::u32}}, perWarp([=](unsigned, const std::uint64_t* v, unsigned) { return std::uint64_t(holds(count(v))); }));
  };
  vote("all", [](long n) { return n == 32; });
  vote("any", [](long n) { return n > 0; });
  vote("uni", [](long n) { return n == 0 || n == 32; });
  corpus.addBody("warp/activemask.b32", "setp.ge.u32 %p1, %r1, 40; mov.u32 %o, 0; @%p1 bra skip; activemask.b32 %o; skip:", Type::u32, {},
                 perWarp([](unsigned, const std::uint64_t*, unsigned t) { return t >= 40 ? 0 : t >= 32 ? std::uint64_t(0xff) : mask(32); }));
  corpus.addBody("warp/match.any.sync.b32", "and.b32 %r8, %a, 3; match.any.sync.b32 %o, %r8, 0xffffffff;", Type::u32, {{Type::u32}},
                 perWarp([](unsigned lane, const std::uint64_t* v, unsigned) {
    std::uint64_t bits = 0;
    for (int i = 0; i < 32; ++i) bits |= std::uint64_t((v[i] & 3) == (v[lane] & 3)) << i;
    return bits;
  }));
}

void addReductions(Corpus& corpus) {
  const auto reduce = [&](const std::string& form, Type type, std::uint64_t (*f)(std::uint64_t, std::uint64_t)) {
    corpus.addBody("warp/redux.sync." + form, "redux.sync." + form + " %o, %a, 0xffffffff;", type, {{type}}, perWarp([f](unsigned, const std::uint64_t* v, unsigned) {
      std::uint64_t result = v[0];
      for (int i = 1; i < 32; ++i) result = f(result, v[i]);
      return result;
    }));
  };
  reduce("add.u32", Type::u32, [](std::uint64_t a, std::uint64_t b) { return (a + b) & mask(32); });
  reduce("min.u32", Type::u32, [](std::uint64_t a, std::uint64_t b) { return std::min(a, b); });
  reduce("max.u32", Type::u32, [](std::uint64_t a, std::uint64_t b) { return std::max(a, b); });
  reduce("min.s32", Type::s32, [](std::uint64_t a, std::uint64_t b) { return signExtend(a, 32) < signExtend(b, 32) ? a : b; });
  reduce("max.s32", Type::s32, [](std::uint64_t a, std::uint64_t b) { return signExtend(a, 32) < signExtend(b, 32) ? b : a; });
  reduce("and.b32", Type::u32, [](std::uint64_t a, std::uint64_t b) { return a & b; });
  reduce("or.b32", Type::u32, [](std::uint64_t a, std::uint64_t b) { return a | b; });
  reduce("xor.b32", Type::u32, [](std::uint64_t a, std::uint64_t b) { return a ^ b; });
}

// Row g of an 8 x 8 tile of 16-bit elements lies in the registers of lanes 4 g to 4 g + 3.
void addTransposition(Corpus& corpus) {
  corpus.addBody("warp/movmatrix.sync.aligned.m8n8.trans.b16", "movmatrix.sync.aligned.m8n8.trans.b16 %o, %a;", Type::u32, {{Type::u32}},
                 perWarp([](unsigned lane, const std::uint64_t* v, unsigned) {
    const auto element = [&](unsigned row, unsigned column) { return v[4 * row + column / 2] >> 16 * (column % 2) & 0xffff; };
    const unsigned row = lane / 4, column = lane % 4 * 2;
    return element(column, row) | element(column + 1, row) << 16;
  }));
}

// Before sm_70 the lanes that came together took part, and nothing named them.
void addWithoutSync(Corpus& corpus) {
  const auto old = [](Case& test) { test.sm = 60, test.ptx = 60; };
  const std::string predicate = "and.b32 %r8, %a, 1; setp.ne.u32 %p1, %r8, 0; ";
  struct Shuffle { const char* mode; int distance, clamp; unsigned (*source)(unsigned lane); };
  for (const Shuffle& s : {Shuffle{"up", 3, 0, [](unsigned lane) { return lane < 3 ? lane : lane - 3; }}, {"down", 5, 31, [](unsigned lane) { return lane + 5 > 31 ? lane : lane + 5; }},
                           {"bfly", 16, 31, [](unsigned lane) { return lane ^ 16; }}, {"idx", 7, 31, [](unsigned) { return 7u; }}})
    old(corpus.addBody(std::string("warp/shfl.") + s.mode + ".b32", std::string("shfl.") + s.mode + ".b32 %o|%p1, %a, " + std::to_string(s.distance) + ", " + std::to_string(s.clamp) + ";",
                       Type::u32, {{Type::u32}}, perWarp([source = s.source](unsigned lane, const std::uint64_t* v, unsigned) { return v[source(lane)]; })));
  const auto count = [](const std::uint64_t* v) { return std::count_if(v, v + 32, [](std::uint64_t x) { return x & 1; }); };
  const auto vote = [&](const char* kind, std::function<bool(long)> holds) {
    old(corpus.addBody(std::string("warp/vote.") + kind + ".pred", predicate + "vote." + kind + ".pred %p2, %p1; selp.b32 %o, 1, 0, %p2;", Type::u32, {{Type::u32}},
                       perWarp([=](unsigned, const std::uint64_t* v, unsigned) { return std::uint64_t(holds(count(v))); })));
  };
  vote("all", [](long n) { return n == 32; });
  vote("any", [](long n) { return n > 0; });
  vote("uni", [](long n) { return n == 0 || n == 32; });
  old(corpus.addBody("warp/vote.ballot.b32", predicate + "vote.ballot.b32 %o, %p1;", Type::u32, {{Type::u32}}, perWarp([](unsigned, const std::uint64_t* v, unsigned) {
    std::uint64_t bits = 0;
    for (int i = 0; i < 32; ++i) bits |= (v[i] & 1) << i;
    return bits;
  })));
}

// All lanes agree in the first two warps, one of the third differs.
void addMatchAll(Corpus& corpus) {
  for (const std::string type : {"b32", "b64"}) {
    const std::string word = type == "b64" ? "%d8" : "%r9";
    corpus.addBody("warp/match.all.sync." + type, "setp.eq.u32 %p2, %r1, 77; selp.b32 %r9, 5, 4, %p2; cvt.u64.u32 %d8, %r9; match.all.sync." + type + " %o|%p1, " + word
                   + ", 0xffffffff; @%p1 xor.b32 %o, %o, 1;", Type::u32, {}, perWarp([](unsigned, const std::uint64_t*, unsigned t) { return t / 32 == 2 ? 0 : mask(32) ^ 1; }));
  }
  corpus.addBody("warp/match.any.sync.b64", "and.b64 %d8, %a, 0x100000001; match.any.sync.b64 %o, %d8, 0xffffffff;", Type::u32, {{Type::u64}},
                 perWarp([](unsigned lane, const std::uint64_t* v, unsigned) {
    std::uint64_t bits = 0;
    for (int i = 0; i < 32; ++i) bits |= std::uint64_t(((v[i] ^ v[lane]) & 0x100000001) == 0) << i;
    return bits;
  }));
}

void addSpecialRegisters(Corpus& corpus) {
  const auto special = [&](const char* name, std::uint64_t (*f)(unsigned thread)) {
    corpus.addBody(std::string("warp/mov.u32 ") + name, std::string("mov.u32 %o, ") + name + ";", Type::u32, {},
                   perWarp([f](unsigned, const std::uint64_t*, unsigned t) { return f(t); }));
  };
  special("%laneid", [](unsigned t) { return std::uint64_t(t % 32); });
  special("%tid.x", [](unsigned t) { return std::uint64_t(t); });
  special("%tid.y", [](unsigned) { return std::uint64_t(0); });
  special("%ntid.x", [](unsigned) { return std::uint64_t(threads); });
  special("%ctaid.x", [](unsigned) { return std::uint64_t(0); });
  special("%nctaid.x", [](unsigned) { return std::uint64_t(1); });
  special("%lanemask_lt", [](unsigned t) { return mask(int(t % 32)); });
  special("%lanemask_ge", [](unsigned t) { return mask(32) & ~mask(int(t % 32)); });
  special("%lanemask_eq", [](unsigned t) { return std::uint64_t(1) << t % 32; });
}

}  // namespace

void addWarp(Corpus& corpus) {
  addShuffles(corpus);
  addVotes(corpus);
  addReductions(corpus);
  addWithoutSync(corpus);
  addMatchAll(corpus);
  addTransposition(corpus);
  addSpecialRegisters(corpus);
}

}  // namespace cnn::conformance

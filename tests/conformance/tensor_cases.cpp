// cp.async.bulk.tensor: boxes of tensors of one to five dimensions, with every swizzle, with steps, over the edges, and
// the pixels of im2col; stores and reductions the other way. What must come out is found element by element.
#include "whole_block.h"

#include <array>
#include <optional>

namespace cnn::conformance {
namespace {

constexpr int outputs = -1;  // as the operand of a map
constexpr unsigned tileBytes = 8192;

using Index = std::array<int, 5>;

struct Shape {
  const char* name;
  int rank;
  Index sizes, box, at;       // dimension 0 is the innermost one
  int swizzle = 0;            // 0 none, 1 32, 2 64, 3 128 bytes
  Index steps = {1, 1, 1, 1, 1};
};

// Elements of four bytes; rows of the tensor lie without gaps.
const Shape shapes[] = {
    {"1d", 1, {64}, {32}, {8}},
    {"1d over the end", 1, {64}, {32}, {48}},
    {"2d", 2, {32, 16}, {8, 8}, {4, 3}},
    {"2d over the edges", 2, {32, 16}, {16, 8}, {-4, 12}},
    {"2d, rows beyond the start", 2, {32, 16}, {16, 8}, {20, -5}},
    {"2d, 32 byte swizzle", 2, {32, 16}, {8, 16}, {8, 0}, 1},
    {"2d, 64 byte swizzle", 2, {32, 16}, {16, 16}, {8, 0}, 2},
    {"2d, 128 byte swizzle", 2, {32, 16}, {32, 16}, {0, 0}, 3},
    {"2d, 128 byte swizzle, over the edges", 2, {32, 16}, {32, 16}, {-8, 7}, 3},
    {"2d, every second row", 2, {32, 16}, {16, 12}, {4, 1}, 0, {1, 2, 1, 1, 1}},
    {"3d", 3, {16, 6, 5}, {8, 4, 3}, {8, 1, 2}},
    {"3d over the edges, 64 byte swizzle", 3, {16, 6, 5}, {16, 4, 3}, {4, -1, 3}, 2},
    {"4d", 4, {8, 5, 4, 3}, {8, 3, 2, 2}, {0, 1, 1, 1}},
    {"4d over the edges", 4, {8, 5, 4, 3}, {8, 3, 3, 2}, {4, -1, 2, 2}},
    {"5d", 5, {8, 4, 3, 3, 2}, {4, 3, 2, 2, 2}, {4, 1, 1, 0, 0}},
    {"5d over the edges", 5, {8, 4, 3, 3, 2}, {4, 3, 2, 3, 2}, {6, 2, -1, 1, 1}},
};

std::uint64_t countOf(const Shape& s) {
  std::uint64_t count = 1;
  for (int d = 0; d < s.rank; ++d) count *= std::uint64_t(s.sizes[d]);
  return count;
}

TensorMap mapOf(const Shape& s, int operand, int element) {
  TensorMap map;
  map.operand = operand;
  map.element = element;
  map.swizzle = s.swizzle;
  std::uint64_t pitch = 4;
  for (int d = 0; d < s.rank; ++d) {
    map.sizes.push_back(std::uint64_t(s.sizes[d]));
    map.box.push_back(std::uint32_t(s.box[d]));
    map.steps.push_back(std::uint32_t(s.steps[d]));
    pitch *= std::uint64_t(s.sizes[d]);
    map.pitches.push_back(pitch);
  }
  return map;
}

// Where byte `at` of a box lies in shared memory: the 16-byte units of each row are exchanged by the row's number.
unsigned swizzled(unsigned at, int mode) {
  const unsigned unit = at / 16 % 8, row = at / 128 % 8;
  constexpr unsigned kept[] = {0, 1, 3, 7};
  return at - unit * 16 + (unit ^ (row & kept[mode])) * 16;
}

// Calls visit(word in shared memory, word of the tensor or nothing outside of it) for the box, innermost first.
template <class Visit> void walk(const Shape& s, Visit visit) {
  Index extent;
  unsigned total = 1;
  for (int d = 0; d < s.rank; ++d) {
    extent[d] = (s.box[d] + s.steps[d] - 1) / s.steps[d];
    total *= unsigned(extent[d]);
  }
  for (unsigned n = 0; n < total; ++n) {
    unsigned rest = n;
    std::size_t from = 0, pitch = 1;
    bool inside = true;
    for (int d = 0; d < s.rank; ++d) {
      const int at = s.at[d] + int(rest % unsigned(extent[d])) * s.steps[d];
      rest /= unsigned(extent[d]);
      inside = inside && at >= 0 && at < s.sizes[d];
      from += std::size_t(at) * pitch;
      pitch *= std::size_t(s.sizes[d]);
    }
    visit(swizzled(4 * n, s.swizzle) / 4, inside ? std::optional(from) : std::nullopt);
  }
}

unsigned boxBytes(const Shape& s) {
  unsigned count = 0;
  walk(s, [&](unsigned, std::optional<std::size_t>) { ++count; });
  return 4 * count;
}

std::string coordinates(const Index& at, int rank) {
  std::string text = "{";
  for (int d = 0; d < rank; ++d) text += (d ? ", " : "") + std::to_string(at[d]);
  return text + "}";
}

const std::string declarations = ".shared .align 1024 .b8 tile[8192];\n.shared .align 8 .b64 bar;";
const std::string policy = "createpolicy.fractional.L2::evict_last.b64 %d40, 1.0;\n  ";
// As in the bulk copies: %r8 the tile, %r9 the mbarrier, %p1 thread 0.
const std::string prepare = "mov.u32 %r8, tile; mov.u32 %r9, bar; setp.eq.u32 %p1, %r1, 0;\n  @%p1 mbarrier.init.shared.b64 [%r9], 1; "
                            "@%p1 fence.mbarrier_init.release.cluster; fence.proxy.async; bar.sync 0;\n  ";

std::string modifiers(const std::string& mode, bool hint) { return mode + ".mbarrier::complete_tx::bytes" + (hint ? ".L2::cache_hint" : ""); }

Case& finish(Case& test, TensorMap map, int ptx = 80) {
  test.maps.push_back(std::move(map));
  test.declarations = declarations;
  test.sm = 90;
  test.ptx = ptx;
  return test;
}

// The tile begins as operand 1 and is overwritten by the box; elements outside of the tensor are zeros.
void addLoad(Corpus& corpus, const Shape& s, const std::string& destination, const std::string& mode, bool hint, int ptx) {
  const std::string opcode = "cp.async.bulk.tensor." + std::to_string(s.rank) + "d." + destination + ".global" + modifiers(mode, hint);
  const std::string body = fillShared("tile", "%in1", tileBytes) + prepare + (hint ? policy : "") + "@%p1 mbarrier.arrive.expect_tx.shared.b64 %d8, [%r9], "
                           + std::to_string(boxBytes(s)) + "; @%p1 " + opcode + " [%r8], [%map0, " + coordinates(s.at, s.rank) + "], [%r9]" + (hint ? ", %d40" : "")
                           + ";\n  " + awaitPhase("%r9", 0) + dumpShared("tile", tileBytes);
  finish(addWhole(corpus, "tensor/" + opcode + " " + s.name, body, Type::u32, tileBytes / 4, {{Type::u32, Range::any, countOf(s)}, {Type::u32, Range::any, tileBytes / 4}},
                  [s](const Columns& in) {
    Column out = in[1];
    walk(s, [&](unsigned word, std::optional<std::size_t> from) { out[word] = from ? in[0][*from] : 0; });
    return out;
  }), mapOf(s, 0, 2), ptx);
}

// Outside of the tensor there may be NaN instead.
void addNaNFill(Corpus& corpus) {
  const Shape s = shapes[3];
  const std::string opcode = "cp.async.bulk.tensor.2d.shared::cluster.global" + modifiers("", false);
  const std::string body = fillShared("tile", "%in1", tileBytes) + prepare + "@%p1 mbarrier.arrive.expect_tx.shared.b64 %d8, [%r9], " + std::to_string(boxBytes(s)) + "; @%p1 "
                           + opcode + " [%r8], [%map0, " + coordinates(s.at, s.rank) + "], [%r9];\n  " + awaitPhase("%r9", 0) + dumpShared("tile", tileBytes);
  TensorMap map = mapOf(s, 0, 7);
  map.fill = 1;
  finish(addWhole(corpus, "tensor/" + opcode + " NaN beyond the edges", body, Type::f32, tileBytes / 4,
                  {{Type::f32, Range::moderate, countOf(s)}, {Type::f32, Range::moderate, tileBytes / 4}}, [s](const Columns& in) {
    Column out = in[1];
    walk(s, [&](unsigned word, std::optional<std::size_t> from) { out[word] = from ? in[0][*from] : 0x7fffffff; });
    return out;
  }), map);
}

// The outputs, a tensor, begin as operand 1; the box goes into them or is combined with them, where it is inside.
struct Operation {
  const char* name;
  int element;   // CUtensorMapDataType
  std::uint64_t (*combine)(std::uint64_t old, std::uint64_t given);
};
constexpr Operation operations[] = {
    {"add", 2, [](std::uint64_t a, std::uint64_t b) { return (a + b) & mask(32); }},
    {"min", 2, [](std::uint64_t a, std::uint64_t b) { return a < b ? a : b; }},
    {"max", 2, [](std::uint64_t a, std::uint64_t b) { return a < b ? b : a; }},
    {"min", 3, [](std::uint64_t a, std::uint64_t b) { return signExtend(a, 32) < signExtend(b, 32) ? a : b; }},
    {"inc", 2, [](std::uint64_t old, std::uint64_t bound) { return old >= bound ? 0 : old + 1; }},
    {"dec", 2, [](std::uint64_t old, std::uint64_t bound) { return old == 0 || old > bound ? bound : old - 1; }},
    {"and", 2, [](std::uint64_t a, std::uint64_t b) { return a & b; }},
    {"or", 2, [](std::uint64_t a, std::uint64_t b) { return a | b; }},
    {"xor", 2, [](std::uint64_t a, std::uint64_t b) { return a ^ b; }},
};
constexpr Operation store{"", 2, [](std::uint64_t, std::uint64_t given) { return given; }};

void addStore(Corpus& corpus, const Shape& s, const Operation& o, const std::string& mode, bool hint) {
  const bool reduces = *o.name;
  const std::string opcode = (reduces ? "cp.reduce.async.bulk.tensor." : "cp.async.bulk.tensor.") + std::to_string(s.rank) + "d.global.shared::cta"
                             + (reduces ? std::string(".") + o.name : "") + mode + ".bulk_group" + (hint ? ".L2::cache_hint" : "");
  const std::size_t count = countOf(s);
  std::string copy = "mad.wide.u32 %d8, %r1, 4, %in1; mad.wide.u32 %d9, %r1, 4, %out;\n  ";
  for (std::size_t i = 0; i < count; i += threads) {
    const std::string at = std::to_string(4 * i), left = std::to_string(count - i);
    copy += "setp.lt.u32 %p2, %r1, " + left + "; @%p2 ld.global.b32 %r10, [%d8+" + at + "]; @%p2 st.global.b32 [%d9+" + at + "], %r10;\n  ";
  }
  const std::string body = fillShared("tile", "%in0", tileBytes) + copy + prepare + (hint ? policy : "") + "@!%p1 bra end; " + opcode + " [%map0, "
                           + coordinates(s.at, s.rank) + "], [%r8]" + (hint ? ", %d40" : "") + "; cp.async.bulk.commit_group; cp.async.bulk.wait_group 0; end:";
  finish(addWhole(corpus, "tensor/" + opcode + " " + s.name + (o.element == 3 ? " of s32" : ""), body, Type::u32, count,
                  {{Type::u32, Range::any, tileBytes / 4}, {Type::u32, Range::any, count}}, [s, combine = o.combine](const Columns& in) {
    Column out = in[1];
    walk(s, [&](unsigned word, std::optional<std::size_t> to) {
      if (to) out[*to] = combine(out[*to], in[0][word]);
    });
    return out;
  }), mapOf(s, outputs, o.element));
}

// ---- im2col: tensors N (D) (H) W C; the base pixels lie in a box that may begin outside of the image, the filter's offset
// moves each of them ----------------------------------------------------------------------------------------------------

struct Im2col {
  const char* name;
  int spatial;                // 1: W, 2: W and H, 3: W, H and D
  int channels;
  std::array<int, 3> size;    // W, H, D
  int images;
  std::array<int, 3> lower, upper, start, offset;
  int firstChannel, channelsPerPixel, pixels, firstImage;
  int swizzle = 0;
  int stride = 1;
};

const Im2col columns[] = {
    {"3d", 1, 8, {10}, 3, {-1}, {-1}, {-1}, {2}, 0, 8, 24, 0},
    {"4d, 3 x 3 with padding 1", 2, 8, {6, 5}, 2, {-1, -1}, {-1, -1}, {-1, -1}, {1, 0}, 0, 8, 32, 0},
    {"4d, from the middle of a row on", 2, 8, {6, 5}, 3, {-1, -1}, {-1, -1}, {3, 2}, {2, 2}, 4, 4, 40, 1},
    {"4d, beyond the last image", 2, 8, {6, 5}, 2, {-1, -1}, {-1, -1}, {0, 1}, {0, 1}, 0, 8, 48, 1},
    {"4d, 128 byte swizzle", 2, 32, {5, 4}, 2, {-1, -1}, {-1, -1}, {-1, -1}, {0, 2}, 0, 32, 32, 0, 3},
    {"4d, stride 2", 2, 8, {7, 6}, 2, {-1, -1}, {-1, -1}, {-1, -1}, {1, 1}, 0, 8, 16, 0, 0, 2},
    {"5d", 3, 4, {4, 3, 3}, 2, {-1, -1, -1}, {-1, -1, -1}, {-1, -1, -1}, {1, 2, 0}, 0, 4, 40, 0},
};

std::size_t countOf(const Im2col& c) {
  std::size_t count = std::size_t(c.channels * c.images);
  for (int d = 0; d < c.spatial; ++d) count *= std::size_t(c.size[d]);
  return count;
}

TensorMap mapOf(const Im2col& c, int operand) {
  TensorMap map;
  map.operand = operand;
  map.element = 2;
  map.swizzle = c.swizzle;
  map.sizes.push_back(std::uint64_t(c.channels));
  map.steps.push_back(1);
  for (int d = 0; d < c.spatial; ++d) {
    map.sizes.push_back(std::uint64_t(c.size[d]));
    map.steps.push_back(std::uint32_t(c.stride));
    map.lower.push_back(c.lower[d]);
    map.upper.push_back(c.upper[d]);
  }
  map.sizes.push_back(std::uint64_t(c.images));
  map.steps.push_back(1);
  std::uint64_t pitch = 4;
  for (const std::uint64_t size : map.sizes) map.pitches.push_back(pitch *= size);
  map.channels = std::uint32_t(c.channelsPerPixel);
  map.pixels = std::uint32_t(c.pixels);
  return map;
}

// The base pixel runs through its box, W first, then H, D and the images.
template <class Visit> void walk(const Im2col& c, bool offsets, Visit visit) {
  std::array<int, 3> base = c.start;
  int image = c.firstImage;
  for (int pixel = 0; pixel < c.pixels; ++pixel) {
    bool inside = image < c.images;
    std::size_t place = 0;
    for (int d = c.spatial - 1; d >= 0; --d) {
      const int at = base[d] + (offsets ? c.offset[d] : 0);
      inside = inside && at >= 0 && at < c.size[d];
      place = place * std::size_t(c.size[d]) + std::size_t(at);
    }
    std::size_t imagePlaces = 1;
    for (int d = 0; d < c.spatial; ++d) imagePlaces *= std::size_t(c.size[d]);
    for (int channel = 0; channel < c.channelsPerPixel; ++channel) {
      const unsigned byte = unsigned(4 * (pixel * c.channelsPerPixel + channel));
      const std::size_t from = (std::size_t(image) * imagePlaces + place) * std::size_t(c.channels) + std::size_t(c.firstChannel + channel);
      visit(swizzled(byte, c.swizzle) / 4, inside && c.firstChannel + channel < c.channels ? std::optional(from) : std::nullopt);
    }
    int d = 0;
    while (d < c.spatial && (base[d] += c.stride) >= c.size[d] + c.upper[d]) base[d] = c.lower[d], ++d;
    if (d == c.spatial) ++image;
  }
}

std::string coordinates(const Im2col& c) {
  std::string text = "{" + std::to_string(c.firstChannel);
  for (int d = 0; d < c.spatial; ++d) text += ", " + std::to_string(c.start[d]);
  return text + ", " + std::to_string(c.firstImage) + "}";
}

std::string offsetList(const Im2col& c) {
  std::string text = "{";
  for (int d = 0; d < c.spatial; ++d) text += (d ? ", " : "") + std::to_string(c.offset[d]);
  return text + "}";
}

void addColumns(Corpus& corpus, const Im2col& c, const std::string& destination, bool hint, int ptx) {
  const std::string opcode = "cp.async.bulk.tensor." + std::to_string(c.spatial + 2) + "d." + destination + ".global" + modifiers(".im2col", hint);
  const std::string body = fillShared("tile", "%in1", tileBytes) + prepare + (hint ? policy : "") + "@%p1 mbarrier.arrive.expect_tx.shared.b64 %d8, [%r9], "
                           + std::to_string(4 * c.pixels * c.channelsPerPixel) + "; @%p1 " + opcode + " [%r8], [%map0, " + coordinates(c) + "], [%r9], " + offsetList(c)
                           + (hint ? ", %d40" : "") + ";\n  " + awaitPhase("%r9", 0) + dumpShared("tile", tileBytes);
  finish(addWhole(corpus, "tensor/" + opcode + " " + c.name, body, Type::u32, tileBytes / 4, {{Type::u32, Range::any, countOf(c)}, {Type::u32, Range::any, tileBytes / 4}},
                  [c](const Columns& in) {
    Column out = in[1];
    walk(c, true, [&](unsigned word, std::optional<std::size_t> from) { out[word] = from ? in[0][*from] : 0; });
    return out;
  }), mapOf(c, 0), ptx);
}

}  // namespace

void addTensor(Corpus& corpus) {
  for (const Shape& s : shapes) {
    addLoad(corpus, s, "shared::cluster", "", false, 80);
    addStore(corpus, s, store, "", false);
    addStore(corpus, s, operations[0], "", false);
  }
  for (const Shape& s : {shapes[0], shapes[2], shapes[10], shapes[12], shapes[14]})
    for (const bool hint : {false, true}) {
      addLoad(corpus, s, "shared::cluster", ".tile", hint, 80);
      addLoad(corpus, s, "shared::cta", ".tile", hint, 86);
      addStore(corpus, s, store, ".tile", hint);
      addStore(corpus, s, operations[0], ".tile", hint);
    }
  for (const Operation& o : operations)
    for (const bool hint : {false, true}) addStore(corpus, shapes[3], o, ".tile", hint);
  addNaNFill(corpus);
  for (const Im2col& c : columns)
    for (const bool hint : {false, true}) {
      addColumns(corpus, c, "shared::cluster", hint, 80);
      addColumns(corpus, c, "shared::cta", hint, 86);
    }
}

}  // namespace cnn::conformance

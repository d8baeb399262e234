#include "whole_block.h"

namespace cnn::conformance {
namespace {

std::string number(std::size_t value) { return std::to_string(value); }

}  // namespace

std::string wholeBlockPtx(const Case& test) {
  std::string text = ptxHeader(test) + "\n.visible .entry k(.param .u64 out";
  for (std::size_t i = 0; i < test.operands.size(); ++i) text += ", .param .u64 in" + number(i);
  for (std::size_t i = 0; i < test.maps.size(); ++i) text += ", .param .align 64 .b8 map" + number(i) + "[128]";
  text += ")\n" + (test.blocks > 1 ? ".reqnctapercluster " + number(test.blocks) + "\n" : "") + test.limits;
  text += "{\n  .reg .pred %p<8>;\n  .reg .b16 %h<32>;\n  .reg .b32 %r<256>;\n  .reg .b64 %d<64>;\n  .reg .f32 %f<256>;\n  .reg .f64 %e<32>;\n"
          "  .reg .b64 %out, %in<4>, %map<2>;\n  mov.u32 %r1, %tid.x;\n  mov.u32 %r2, %ctaid.x;\n  ld.param.u64 %out, [out];\n  cvta.to.global.u64 %out, %out;\n"
          "  mad.wide.u32 %out, %r2, " + number(test.outputs / test.blocks * std::size_t(bitsOf(test.result)) / 8) + ", %out;\n";
  for (std::size_t i = 0; i < test.operands.size(); ++i)
    text += "  ld.param.u64 %in" + number(i) + ", [in" + number(i) + "];\n  cvta.to.global.u64 %in" + number(i) + ", %in" + number(i) + ";\n";
  for (std::size_t i = 0; i < test.maps.size(); ++i)
    text += "  mov.b64 %map" + number(i) + ", map" + number(i) + ";\n  cvta.param.u64 %map" + number(i) + ", %map" + number(i) + ";\n";
  return text + "  " + test.body + "\n  ret;\n}\n";
}

Case& addWhole(Corpus& corpus, const std::string& name, const std::string& body, Type result, std::size_t outputs, std::vector<Operand> operands,
               std::function<Column(const Columns&)> expected) {
  Case& added = corpus.addBody(name, body, result, std::move(operands), std::move(expected));
  added.whole = true;
  added.outputs = outputs;
  return added;
}

std::string fillShared(const std::string& array, const std::string& from, unsigned bytes) {
  std::string text = "{ .reg .b32 %fs<2>; .reg .b64 %fg; mov.u32 %fs0, " + array + "; mad.lo.u32 %fs0, %r1, 4, %fs0; mad.wide.u32 %fg, %r1, 4, " + from + ";\n";
  for (unsigned at = 0; at < bytes; at += 4 * threads)
    text += "  ld.global.b32 %fs1, [%fg+" + number(at) + "]; st.shared.b32 [%fs0+" + number(at) + "], %fs1;\n";
  return text + "  bar.sync 0; }\n  ";
}

std::string dumpShared(const std::string& array, unsigned bytes, unsigned outputAt) {
  std::string text = "bar.sync 0; { .reg .b32 %fs<2>; .reg .b64 %fg; mov.u32 %fs0, " + array + "; mad.lo.u32 %fs0, %r1, 4, %fs0; mad.wide.u32 %fg, %r1, 4, %out;\n";
  for (unsigned at = 0; at < bytes; at += 4 * threads)
    text += "  ld.shared.b32 %fs1, [%fs0+" + number(at) + "]; st.global.b32 [%fg+" + number(outputAt + at) + "], %fs1;\n";
  return text + "  }\n";
}

std::string keep(const std::string& value, unsigned index, unsigned bits) {
  return "{ .reg .b64 %fg; mad.wide.u32 %fg, %r1, " + number(bits / 8) + ", %out; st.global.b" + number(bits) + " [%fg+" + number(index * threads * bits / 8) + "], "
         + value + "; }\n  ";
}

std::string vectorOf(const std::string& prefix, unsigned first, unsigned count) {
  std::string text = "{";
  for (unsigned i = 0; i < count; ++i) text += (i ? ", " : "") + prefix + number(first + i);
  return text + "}";
}

std::string awaitPhase(const std::string& address, unsigned parity, const std::string& wait) {
  return "{ .reg .pred %done; again: mbarrier." + wait + ".parity.shared.b64 %done, [" + address + "], " + number(parity) + "; @!%done bra again; }\n  ";
}

std::vector<std::uint8_t> bytesOf(const Column& values, Type type) {
  std::vector<std::uint8_t> bytes;
  for (const std::uint64_t value : values)
    for (int shift = 0; shift < bitsOf(type); shift += 8) bytes.push_back(std::uint8_t(value >> shift));
  return bytes;
}

Column wordsOf(const std::vector<std::uint8_t>& bytes) {
  Column words(bytes.size() / 4);
  for (std::size_t i = 0; i < bytes.size(); ++i) words[i / 4] |= std::uint64_t(bytes[i]) << (8 * (i % 4));
  return words;
}

}  // namespace cnn::conformance

// atom and red on vectors of floats: each thread has 16 bytes of its own. `atom` gives the elements as they were, both change them.
#include "whole_block.h"

#include <cstring>

namespace cnn::conformance {
namespace {

constexpr unsigned bytesPerThread = 16, words = bytesPerThread / 4;

struct Form {
  std::string operation;  // add, min, max
  std::string type;       // f16x2
  unsigned count;         // of elements

  bool isSingle() const { return type == "f32"; }
  bool isPacked() const { return type.ends_with("x2"); }
  bool isBfloat() const { return type.starts_with("bf16"); }
  const Format& format() const { return isSingle() ? f32 : isBfloat() ? bf16 : f16; }
  unsigned bytes() const { return count * (isSingle() || isPacked() ? 4 : 2); }
  std::string name() const { return operation + (isSingle() ? "" : ".noftz"); }
};

// Values as the kernel sees them, 16 or 32 bits each, in as many registers.
std::string registers(const Form& form, unsigned first) {
  return form.isSingle() || form.isPacked() ? vectorOf("%r", first, form.count) : vectorOf("%h", first, form.count);
}
// Words in %r[first..] as halves in %h[first..], and back.
std::string split(unsigned first) {
  std::string text;
  for (unsigned n = 0; n < words; ++n)
    text += "mov.b32 {%h" + std::to_string(first + 2 * n) + ", %h" + std::to_string(first + 2 * n + 1) + "}, %r" + std::to_string(first + n) + "; ";
  return text;
}
std::string join(unsigned first) {
  std::string text;
  for (unsigned n = 0; n < words; ++n)
    text += "mov.b32 %r" + std::to_string(first + n) + ", {%h" + std::to_string(first + 2 * n) + ", %h" + std::to_string(first + 2 * n + 1) + "}; ";
  return text;
}

std::string body(const std::string& instruction, const Form& form, bool returns, bool hinted) {
  const bool halves = !form.isSingle() && !form.isPacked();
  const std::string at = "mad.wide.u32 ", each = ", %r1, 16, ";
  std::string text = at + "%d8" + each + "%in0; " + at + "%d9" + each + "%in1; " + at + "%d10" + each + "%out;\n  "
                     "ld.global.v4.b32 " + vectorOf("%r", 24, words) + ", [%d8]; st.global.v4.b32 [%d10], " + vectorOf("%r", 24, words) + ";\n  "
                     "ld.global.v4.b32 " + vectorOf("%r", 16, words) + ", [%d9]; " + (halves ? split(16) : "") + "\n  ";
  for (unsigned n = 0; n < words; ++n) text += "mov.b32 %r" + std::to_string(8 + n) + ", 0; ";
  if (halves) text += split(8);
  if (hinted) text += "createpolicy.fractional.L2::evict_last.b64 %d11; ";
  text += "\n  " + instruction + " " + (returns ? registers(form, 8) + ", " : "") + "[%d10], " + registers(form, 16) + (hinted ? ", %d11;" : ";") + "\n  ";
  if (!returns) return text;
  return text + (halves ? join(8) : "") + "st.global.v4.b32 [%d10+2048], " + vectorOf("%r", 8, words) + ";\n  ";
}

std::uint64_t combined(const Form& form, std::uint64_t old, std::uint64_t operand) {
  const Format& f = form.format();
  const Wide a = decode(f, old), b = decode(f, operand);
  if (form.operation == "add") return encode(f, add(a, b, Rounding::nearest));
  return (form.operation == "min") == (b < a) ? operand : old;
}

template <class Element> void apply(const Form& form, std::uint8_t* value, const std::uint8_t* operand) {
  Element a, b;
  std::memcpy(&a, value, sizeof a);
  std::memcpy(&b, operand, sizeof b);
  a = Element(combined(form, a, b));
  std::memcpy(value, &a, sizeof a);
}

Column expected(const Form& form, const Columns& in, Type type, bool returns) {
  std::vector<std::uint8_t> value = bytesOf(in[0], type), operand = bytesOf(in[1], type), old(value.size());
  for (unsigned t = 0; t < threads; ++t) {
    std::memcpy(&old[bytesPerThread * t], &value[bytesPerThread * t], form.bytes());
    for (unsigned at = bytesPerThread * t; at < bytesPerThread * t + form.bytes(); at += form.isSingle() ? 4 : 2) {
      if (form.isSingle()) apply<std::uint32_t>(form, &value[at], &operand[at]);
      else apply<std::uint16_t>(form, &value[at], &operand[at]);
    }
  }
  if (returns) value.insert(value.end(), old.begin(), old.end());
  return wordsOf(value);
}

void addForm(Corpus& corpus, const Form& form) {
  struct Way { const char* opcode; const char* order; const char* space; bool hinted; };
  for (const Way& way : {Way{"atom", ".relaxed.gpu", ".global", false}, {"atom", "", "", false}, {"atom", ".acq_rel.sys", ".global", true},
                         {"red", ".release.cta", ".global", false}, {"red", "", "", false}, {"red", "", ".global", true}}) {
    const bool returns = way.opcode[0] == 'a';
    const std::string instruction = std::string(way.opcode) + way.order + way.space + "." + form.name() + (way.hinted ? ".L2::cache_hint" : "") + ".v"
                                    + std::to_string(form.count) + "." + form.type;
    const Type type = form.isSingle() ? Type::f32 : form.isBfloat() ? Type::bf16x2 : Type::f16x2;
    Case& test = addWhole(corpus, "atomic/" + instruction, body(instruction, form, returns, way.hinted), Type::u32, words * threads * (returns ? 2 : 1),
                          {{type, Range::moderate, words * threads}, {type, Range::moderate, words * threads}},
                          [form, type, returns](const Columns& in) { return expected(form, in, type, returns); });
    test.sm = 90;
    test.ptx = 81;
  }
}

}  // namespace

void addAtomicVector(Corpus& corpus) {
  for (const unsigned count : {2u, 4u}) addForm(corpus, {"add", "f32", count});
  for (const std::string operation : {"add", "min", "max"}) {
    for (const std::string type : {"f16", "bf16"})
      for (const unsigned count : {2u, 4u, 8u}) addForm(corpus, {operation, type, count});
    for (const std::string type : {"f16x2", "bf16x2"})
      for (const unsigned count : {2u, 4u}) addForm(corpus, {operation, type, count});
  }
}

}  // namespace cnn::conformance

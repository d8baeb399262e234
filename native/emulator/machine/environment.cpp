#include "machine/environment.h"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace cnn::emu {

std::uint64_t environmentNumber(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  if (!text || !*text) return otherwise;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text, text + std::strlen(text), value);
  if (error == std::errc{} && *end == '\0') return value;
  std::fprintf(stderr, "%s=%s is not a number\n", name, text);
  std::abort();
}

}  // namespace cnn::emu

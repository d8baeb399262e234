// Memory read through the non-coherent path (ld.global.nc) must not be written during the launch, by anybody.
#pragma once

#include "machine/access.h"
#include "machine/pages.h"
#include "machine/spans.h"

#include <bitset>
#include <cstdint>
#include <mutex>
#include <optional>

namespace cnn::emu {

struct CoherencePage {
  std::mutex mutex;
  std::bitset<notePageBytes> read, written;  // by ld.global.nc; by any store or atomic
};

class NonCoherentReads {
 public:
  explicit NonCoherentReads(PageTable<CoherencePage>& table) : pages_(table) {}

  // The first byte that has been written and is read now without coherence, or the other way round.
  std::optional<std::uint64_t> conflict(const Access& access, const Spans& spans) {
    const bool reads = access.kind == AccessKind::loadNonCoherent;
    if (!reads && !isStore(access.kind) && access.kind != AccessKind::atomic) return {};
    std::optional<std::uint64_t> found;
    for (const Span& span : spans)
      if (anyPage(span.address, span.bytes, [&](std::uint64_t number, std::uint32_t offset, std::uint32_t bytes, std::uint32_t) {
            CoherencePage& page = pages_[number];
            const std::lock_guard lock(page.mutex);
            const auto touched = (~std::bitset<notePageBytes>() >> (notePageBytes - bytes)) << offset;
            const auto wrong = touched & (reads ? page.written : page.read);
            (reads ? page.read : page.written) |= touched;
            if (wrong.none()) return false;
            std::uint32_t first = 0;
            while (!wrong[first]) ++first;
            found = number * notePageBytes + first;
            return true;
          }))
        break;
    return found;
  }

 private:
  PageCache<CoherencePage> pages_;
};

}  // namespace cnn::emu

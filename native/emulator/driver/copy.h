// Copies and fills: from the many forms of the interface to one form of work, with the documented rules of what is
// synchronous towards the host.
#pragma once

#include "driver/call.h"

namespace cnn::emu::driver {

enum class Side { host, device, unified };  // unified: the address itself says which

// A plain block of bytes.
CopyWork linearCopy(Call& call, Side to, std::uint64_t destination, Side from, std::uint64_t source, std::size_t bytes);
CopyWork stridedCopy(Call& call, const CUDA_MEMCPY2D& parameters);
CopyWork stridedCopy(Call& call, const CUDA_MEMCPY3D& parameters);
FillWork fill(Call& call, CUdeviceptr address, std::size_t pitch, unsigned value, unsigned elementSize, std::size_t width, std::size_t height);

// On the given stream; returns earlier than the copy is done only where the documentation allows it.
void copyAsync(Call& call, Stream& stream, CopyWork work);
// On the legacy stream.
void copySync(Call& call, CopyWork work);
void fillSync(Call& call, FillWork work);

}  // namespace cnn::emu::driver

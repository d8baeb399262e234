// Threads that stay between launches.
#pragma once

#include <functional>

namespace cnn::emu {

// Runs work(0) .. work(count - 1) at the same time, the first on the calling thread; returns when all have ended.
void runParallel(int count, const std::function<void(int)>& work);

}  // namespace cnn::emu

#include "machine/thread_pool.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace cnn::emu {
namespace {

class Pool {
 public:
  ~Pool() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  void run(int count, const std::function<void(int)>& work) {
    int left = count - 1;
    std::condition_variable finished;
    {
      const std::lock_guard lock(mutex_);
      // Launches of several streams may overlap, and the parts of one launch may wait for each other: each part needs a
      // thread of its own.
      for (int i = 1; i < count; ++i)
        jobs_.push_back([&, i] {
          work(i);
          const std::lock_guard done(mutex_);
          if (--left == 0) finished.notify_one();
        });
      while (idle_ < int(jobs_.size())) {
        threads_.emplace_back([this] { serve(); });
        ++idle_;
      }
    }
    wake_.notify_all();
    work(0);
    std::unique_lock lock(mutex_);
    finished.wait(lock, [&] { return left == 0; });
  }

 private:
  void serve() {
    std::unique_lock lock(mutex_);
    for (;;) {
      wake_.wait(lock, [this] { return ending_ || !jobs_.empty(); });
      if (jobs_.empty()) return;
      const std::function<void()> job = std::move(jobs_.front());
      jobs_.pop_front();
      --idle_;
      lock.unlock();
      job();
      lock.lock();
      ++idle_;
    }
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  std::vector<std::thread> threads_;
  int idle_ = 0;  // threads without a job, counting those not yet started
  bool ending_ = false;
};

}  // namespace

void runParallel(int count, const std::function<void(int)>& work) {
  if (count <= 1) {
    if (count == 1) work(0);
    return;
  }
  static Pool pool;
  pool.run(count, work);
}

}  // namespace cnn::emu

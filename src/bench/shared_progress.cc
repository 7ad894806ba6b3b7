#include "bench/shared_progress.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <new>
#include <system_error>

namespace stormo::bench {
namespace {

constexpr std::size_t kLine = 64;

std::size_t roundedUp(std::size_t bytes) { return (bytes + kLine - 1) / kLine * kLine; }

}  // namespace

void FirstText::set(std::string_view text) {
  if (isSet()) return;
  const std::size_t bytes = std::min(text.size(), kBytesMax);
  std::copy_n(text.data(), bytes, text_);
  bytes_.store(bytes, std::memory_order_release);
}

std::string FirstText::text() const { return {text_, bytes_.load(std::memory_order_acquire)}; }

SharedProgress::SharedProgress(std::size_t processes, std::size_t groups)
    : processCount_(processes) {
  const std::size_t processesAt = roundedUp(sizeof(Shared));
  const std::size_t groupsAt = processesAt + roundedUp(processes * sizeof(ProcessProgress));
  bytes_ = groupsAt + groups * sizeof(std::atomic<std::uint64_t>);
  void* memory = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
  char* at = static_cast<char*>(memory);
  shared_ = new (at) Shared;
  processes_ = reinterpret_cast<ProcessProgress*>(at + processesAt);
  for (std::size_t i = 0; i < processes; ++i) new (processes_ + i) ProcessProgress;
  publishedTo_ = reinterpret_cast<std::atomic<std::uint64_t>*>(at + groupsAt);
  for (std::size_t i = 0; i < groups; ++i) new (publishedTo_ + i) std::atomic<std::uint64_t>(0);
}

SharedProgress::~SharedProgress() { ::munmap(shared_, bytes_); }

std::uint64_t SharedProgress::sum(Counter ProcessProgress::*counter) const {
  std::uint64_t sum = 0;
  for (const ProcessProgress& process : processes()) sum += (process.*counter).get();
  return sum;
}

bool SharedProgress::allReached(Phase phase) const {
  return std::ranges::all_of(processes(), [phase](const ProcessProgress& process) {
    return process.reached.load(std::memory_order_acquire) >= phase;
  });
}

bool SharedProgress::allProbed(std::uint32_t round) const {
  return std::ranges::all_of(processes(), [round](const ProcessProgress& process) {
    return process.probed.load(std::memory_order_acquire) >= round;
  });
}

std::string SharedProgress::firstFault() const {
  for (const ProcessProgress& process : processes()) {
    if (process.firstFault.isSet()) return process.firstFault.text();
  }
  return {};
}

}  // namespace stormo::bench

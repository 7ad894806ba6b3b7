#include "sys/unforked_memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <new>

namespace stormo {

UnforkedMemory::UnforkedMemory(std::size_t bytes) {
  static const auto kPageBytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t whole = (bytes + kPageBytes - 1) / kPageBytes * kPageBytes;
  // Populated at once, as a page fault for each page would cost more.
  void* const begin = ::mmap(nullptr, whole, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
  if (begin == MAP_FAILED) throw std::bad_alloc();
  ::madvise(begin, whole, MADV_DONTFORK);
  memory_ = {static_cast<char*>(begin), Unmap{whole}};
}

void UnforkedMemory::Unmap::operator()(char* begin) const { ::munmap(begin, bytes); }

}  // namespace stormo

#pragma once

#include <stormo/event_loop.h>
#include <stormo/result.h>
#include <sys/types.h>

#include <cstdint>
#include <functional>

#include "channel/log/state_stream.h"
#include "sys/unique_fd.h"

namespace stormo::channel {

/// Writes a file in a forked copy of this process, which sees the memory as it is now, while this
/// process goes on. The copy ends when this process ends.
class ForkedWriter {
 public:
  ForkedWriter() = default;
  ~ForkedWriter();  ///< Kills a copy that still writes.
  ForkedWriter(const ForkedWriter&) = delete;
  ForkedWriter& operator=(const ForkedWriter&) = delete;

  /// Writes to the empty `file` what `write` writes, with a trailer (see snapshot_file.h), and
  /// syncs it. `done` gets the number of bytes, in a later turn. Fails if the system cannot fork;
  /// then `done` is not called. Not while a copy is running.
  [[nodiscard]] Result<void> start(UniqueFd file, std::function<void(StateWriter&)> write,
                                   std::function<void(Result<std::uint64_t>)> done);

 private:
  void onEnded();
  void end();  // kills it, if it runs, and waits for it

  pid_t pid_ = 0;
  UniqueFd pidFd_;
  UniqueFd file_;
  EventLoop* loop_ = nullptr;
  EventLoop::WatchId watch_ = 0;
  std::function<void(Result<std::uint64_t>)> done_;
};

}  // namespace stormo::channel

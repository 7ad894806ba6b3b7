#pragma once

#include <stormo/event_loop.h>
#include <stormo/timer.h>
#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "process/json_fwd.h"
#include "process/own_program.h"
#include "sys/unique_fd.h"

namespace stormo::process {

/// A process that has started the program of the disk for its master, up to the declaration of its
/// roles, and that forks children for it: see image_process.h. The children's parent is the master.
///
/// Master to image, as packets: {"version":1,"roles":[…],"files":{…},"held":{…},"inherited":[…]},
///   then {"order":"start",…} with the descriptor of the child's link, {"order":"log-file"} with
///   that of the file, {"order":"credentials","role":N} with that of Credentials::share(),
///   {"order":"slot-free","role":N,"part":N} when a child has ended
/// Image to master: {"report":"declared"}  {"report":"failed","why":"…"}
/// {"report":"started","pid":N}
class Image {
 public:
  static constexpr int kVersion = 1;
  /// Names the descriptor of the link to the master.
  static constexpr const char* kVariable = "STORMO_IMAGE";

  struct Setup {
    const OwnProgram& program;
    const Json& first;                  ///< The first packet.
    const std::vector<int>& inherited;  ///< Descriptors that the image keeps.
    std::function<void()> inChild;      ///< Runs after the fork, before the program is executed.
  };
  /// `onOutcome` is called once on the loop, with why the program cannot be used, or an empty text
  /// if it can. It may destroy this. Throws std::runtime_error if there is no process for it.
  Image(EventLoop& loop, const Setup& setup, std::function<void(const std::string& why)> onOutcome);
  /// Ends the process. Its children go on.
  ~Image();
  Image(const Image&) = delete;
  Image& operator=(const Image&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// The file that it runs.
  [[nodiscard]] const std::optional<ProgramFile>& file() const { return file_; }

  /// The process was reaped.
  void onEnded(const std::string& why);

  /// Forks a child, and waits until it runs. Zero if there is none; `why` states why.
  pid_t startChild(const Json& order, const UniqueFd& link, std::string& why) const;
  void useLogFile(const UniqueFd& file) const;
  /// Gives a role of the image the credentials of the master's.
  void useCredentials(std::size_t role, const UniqueFd& file) const;
  /// A child in this part of the role has ended, whichever program it had.
  void freeSlot(std::size_t role, int part) const;

  /// In a child that inherited this: closes the link, without a change to the loop or the process.
  void abandon();

 private:
  [[noreturn]] static void execute(const Setup& setup, UniqueFd link);
  void onReadable();
  void finish(const std::string& why);

  EventLoop& loop_;
  std::function<void(const std::string&)> onOutcome_;
  std::optional<ProgramFile> file_;
  UniqueFd link_;
  EventLoop::WatchId watch_ = 0;
  Timer::Id deadline_ = 0;
  pid_t pid_ = 0;
};

}  // namespace stormo::process

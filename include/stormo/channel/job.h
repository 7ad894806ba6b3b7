#pragma once

#include <stormo/value.h>

#include <memory>
#include <string>

namespace stormo::channel {

/// One job of a queue, taken by this process. It may be kept beyond the handler, on the same
/// thread: the work goes on elsewhere, and the process takes its next job when this one has ended.
/// A process that stops waits for its jobs as for its clients.
///
/// Each job is done at least once: if the process dies before the job has ended, or has no link to
/// the Channel for channel::Server::linkStallMax, another process takes it. In Workerman's dialect
/// a job counts as done when this process takes its next one.
///
/// A job that is destroyed before it has ended is given back to its queue; if an exception destroys
/// it, the job is dropped and an error is logged, so that it does not fail again and again.
class Job {
 public:
  Job(Job&& other) noexcept;
  Job& operator=(Job&& other) noexcept;
  ~Job();

  [[nodiscard]] const Value& data() const;
  [[nodiscard]] const std::string& queue() const;

  /// The work is done. Neither of the two may be called after one of them was.
  void done();
  /// Puts the job back to the front of its queue, in Workerman's dialect to its end: another
  /// process, or this one, takes it again.
  void giveBack();

 private:
  friend class JobDesk;
  struct State;
  explicit Job(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace stormo::channel

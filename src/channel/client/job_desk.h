#pragma once

#include <stormo/channel/job.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace stormo::channel {

class ClientLink;

/// The watched queues of one Channel: who takes their jobs, and how many at a time.
class JobDesk : public std::enable_shared_from_this<JobDesk> {
 public:
  using Handler = std::function<void(Job job)>;

  /// From now on jobs come by this link, which outlives its use here; null: there is none.
  void use(ClientLink* link);
  void watch(const std::vector<std::string>& queues, Handler handler, std::size_t atOnce);
  void unwatch(const std::vector<std::string>& queues);
  /// A job has arrived. Calls the queue's handler.
  void onJob(std::uint64_t number, std::string_view queue, const Value& data);

 private:
  friend class Job;
  struct Taker {
    std::shared_ptr<const Handler> handler;  ///< One for each call of watch().
    bool asksForNext;                        ///< A job that ends is followed by the next one.
  };

  /// A job has ended that this handler took. Its watch() takes the next one, of any of the queues
  /// that it still watches.
  void requestNext(const std::weak_ptr<const Handler>& handler);
  void finish(std::uint64_t number);
  void giveBack(std::uint64_t number, std::string_view queue, const Value& data);

  ClientLink* link_ = nullptr;
  std::map<std::string, Taker, std::less<>> takers_;
  std::size_t owed_ = 0;  // reservations from before there was a link
};

}  // namespace stormo::channel

#include "server/api/history.h"

#include <openssl/evp.h>
#include <stormo/timer.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <memory>
#include <utility>

#include "protocol/text/base64.h"
#include "server/api/answer.h"
#include "server/api/command_run.h"

namespace stormo::server::api {
namespace {

constexpr std::size_t kLimitMax = 1000;
constexpr std::chrono::milliseconds kTimeout{5000};

template <typename Number>
bool readNumber(const std::string& text, Number& number, int base = 10) {
  const char* const last = text.data() + text.size();
  const auto [end, errc] = std::from_chars(text.data(), last, number, base);
  return errc == std::errc{} && end == last && !text.empty();
}

Value messageValue(const GroupMessage& message) {
  Value value = Value::object({{"offset", message.offset}});
  if (!message.message.isBinary()) return value.set("message", message.message.data);
  std::string text;
  appendBase64(message.message.data, text);
  return value.set("binary", std::move(text));
}

/// A request for a history that has been sent.
class HistoryRead : public std::enable_shared_from_this<HistoryRead> {
 public:
  HistoryRead(Channel& channel, std::string group, const HistoryQuery& query,
              const PendingResponse& response)
      : channel_(channel), group_(std::move(group)), query_(query), response_(response) {}

  void start() {
    // Only subscribed groups have a history. What arrives meanwhile has no listener here.
    channel_.subscribeGroup(group_);
    timer_ = Timer::once(kTimeout, [self = shared_from_this()] {
      self->timer_ = 0;
      self->finish();
      answer(self->response_, unavailable("the Channel has not replied in time"));
    });
    if (query_.epoch) return request({.epoch = *query_.epoch, .offset = query_.since.value_or(0)});
    channel_.requestHistory(group_, {}, [self = shared_from_this()](const HistoryReply& reply) {
      self->request({.epoch = reply.position.epoch, .offset = self->query_.since.value_or(0)});
    });
  }

 private:
  void request(Position since) {
    if (isFinished_) return;
    channel_.requestHistory(
        group_, since, [self = shared_from_this(), since](const HistoryReply& reply) {
          if (self->isFinished_) return;
          self->finish();
          answer(self->response_, 200, historyValue(self->group_, self->query_, reply));
        });
  }

  void finish() {
    isFinished_ = true;
    if (timer_ != 0) Timer::cancel(std::exchange(timer_, 0));
    channel_.unsubscribeGroup(group_);
  }

  Channel& channel_;
  const std::string group_;
  const HistoryQuery query_;
  const PendingResponse response_;
  Timer::Id timer_ = 0;
  bool isFinished_ = false;
};

}  // namespace

std::variant<HistoryQuery, Problem> readHistoryQuery(const HttpRequest& request) {
  HistoryQuery query;
  if (const auto text = request.queryValue("limit")) {
    if (!readNumber(*text, query.limit) || query.limit == 0 || query.limit > kLimitMax) {
      return invalidField("limit", "'limit' must be a whole number from 1 to 1000");
    }
  }
  if (const auto text = request.queryValue("since")) {
    if (!readNumber(*text, query.since.emplace())) {
      return invalidField("since", "'since' must be an offset: a whole number from 0 on");
    }
  }
  if (const auto text = request.queryValue("epoch")) {
    if (text->size() != 16 || !readNumber(*text, query.epoch.emplace(), 16) || *query.epoch == 0) {
      return invalidField("epoch", "'epoch' must be 16 hexadecimal digits, as an answer had it");
    }
    if (!query.since) return invalidField("since", "'epoch' needs 'since', the offset in it");
  }
  return query;
}

Value historyValue(const std::string& group, const HistoryQuery& query, const HistoryReply& reply) {
  const std::size_t count = std::min(query.limit, reply.messages.size());
  // After a position the next ones, else the latest ones.
  const std::size_t first = query.since ? 0 : reply.messages.size() - count;
  Value messages = Value::list();
  for (std::size_t i = first; i < first + count; ++i) {
    messages.append(messageValue(reply.messages[i]));
  }
  return Value::object({{"name", group},
                        {"epoch", epochText(reply.position.epoch)},
                        {"offset", reply.position.offset},
                        {"messages", std::move(messages)},
                        {"more", count < reply.messages.size()},
                        {"complete", reply.isWhole}});
}

void askForHistory(Channel& channel, const std::string& group, const HistoryQuery& query,
                   const PendingResponse& response) {
  std::make_shared<HistoryRead>(channel, group, query, response)->start();
}

}  // namespace stormo::server::api

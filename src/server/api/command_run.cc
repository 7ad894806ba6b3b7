#include "server/api/command_run.h"

#include <fmt/format.h>
#include <stormo/message.h>

#include <utility>

#include "server/api/answer.h"

namespace stormo::server::api {
namespace {

using Kind = Command::Kind;

constexpr std::size_t kGroupsPerPage = 1000;

Problem tooLong() {
  return {.status = 413,
          .code = "too_large",
          .message = "the message is longer than the Channel accepts",
          .field = "message"};
}

Problem full() { return unavailable("the Channel does not take more at the moment: try again"); }

Problem rejected(const Error& error) {
  return {.status = 422,
          .code = "rejected",
          .message = "the Channel has rejected it: " + error.message()};
}

}  // namespace

std::string epochText(std::uint64_t epoch) { return fmt::format("{:016x}", epoch); }

Value receiptValue(const Receipt& receipt) {
  Value value = Value::object();
  if (receipt.position.offset != 0) {
    value.set("epoch", epochText(receipt.position.epoch)).set("offset", receipt.position.offset);
  }
  if (receipt.isDuplicate) value.set("duplicate", true);
  return value;
}

CommandRun::CommandRun(const Context& context, PendingResponse response,
                       std::vector<Command> commands, bool isBatch, SendIds ids)
    : context_(context),
      response_(response),
      commands_(std::move(commands)),
      isBatch_(isBatch),
      ids_(std::move(ids)) {}

void CommandRun::start() { findGroups(0, {}); }

void CommandRun::findGroups(std::size_t command, std::string after) {
  while (command < commands_.size() && commands_[command].pattern.empty()) ++command;
  if (command == commands_.size()) return sendAll();
  const Backend::Page page{
      .pattern = commands_[command].pattern, .after = std::move(after), .limit = kGroupsPerPage};
  context_.backend.groups(
      page, [self = shared_from_this(), command](const Result<Backend::Counts>& counts) {
        self->onGroups(command, counts);
      });
}

void CommandRun::onGroups(std::size_t command, const Result<Backend::Counts>& counts) {
  if (!counts) {
    return refuse(
        unavailable("the groups of the pattern cannot be found: " + counts.error().message()));
  }
  areGroupsComplete_ = areGroupsComplete_ && counts.value().isComplete;
  std::vector<Audience>& to = commands_[command].to;
  for (const Backend::Count& each : counts.value().items) {
    if (!isReservedName(each.name)) to.push_back(Audience::group(each.name));
  }
  const bool hasMore = counts.value().hasMore && !counts.value().items.empty();
  findGroups(hasMore ? command : command + 1,
             hasMore ? counts.value().items.back().name : std::string());
}

std::optional<Problem> CommandRun::roomProblem() const {
  std::size_t bytes = 0;
  for (const Command& command : commands_) bytes += command.bytes();
  if (bytes > context_.unackedBytesMax) {
    return Problem{.status = 413,
                   .code = "too_large",
                   .message =
                       "the messages of this request have more bytes than can be on their "
                       "way at once: send them in several requests"};
  }
  if (!context_.channel.isConnected()) return unavailable("there is no link to the Channel");
  if (context_.channel.unackedBytes() + bytes > context_.unackedBytesMax) return full();
  return std::nullopt;
}

void CommandRun::sendAll() {
  if (!response_.isOpen()) return;  // the client has left before anything was sent
  if (const auto problem = roomProblem()) return refuse(*problem);
  std::size_t count = 0;
  for (const Command& command : commands_) {
    count += command.kind == Kind::Revoke ? 1 : command.to.size();
  }
  outcomes_.reserve(count);
  waiting_ = 1;  // until all are sent, so that no early receipt answers
  for (std::size_t i = 0; i < commands_.size(); ++i) send(i);
  if (--waiting_ == 0) return answerAll();
  timer_ =
      Timer::once(context_.acknowledgeTimeout, [self = shared_from_this()] { self->onTimeout(); });
}

void CommandRun::send(std::size_t index) {
  const Command& command = commands_[index];
  const std::size_t count = command.kind == Kind::Revoke ? 1 : command.to.size();
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t at = outcomes_.size();
    Outcome& outcome = outcomes_.emplace_back();
    outcome.command = index;
    // A message has a name only in a list; a revocation has no audience.
    const Audience to = command.to.empty() ? Audience::everybody() : command.to[i];
    if (command.isList) outcome.group = to.id();
    SendId id;
    if (command.kind == Kind::Publish) {
      id = command.pattern.empty() ? ids_.next() : ids_.ofMatch(index, to.id());
    }
    const PublishStatus status =
        sendTo(command, to, id, [self = shared_from_this(), at](const Result<Receipt>& receipt) {
          self->onDone(at, receipt);
        });
    if (status == PublishStatus::Accepted) {
      ++waiting_;
    } else {
      outcomes_[at].problem = status == PublishStatus::Full ? full() : tooLong();
    }
  }
}

PublishStatus CommandRun::sendTo(const Command& command, const Audience& to, SendId id,
                                 Backend::DoneHandler onDone) {
  Backend& backend = context_.backend;
  switch (command.kind) {
    case Kind::Join:
      return backend.join(to, command.group, std::move(onDone));
    case Kind::Leave:
      return backend.leave(to, command.group, std::move(onDone));
    case Kind::Disconnect:
      return backend.disconnect(to, command.code, command.reason, std::move(onDone));
    case Kind::Info:
      return backend.setInfo(to, command.info, std::move(onDone));
    case Kind::Revoke:
      return backend.revoke(command.revocation, std::move(onDone));
    case Kind::Publish:
      break;
  }
  const Message message(command.message,
                        command.isBinary ? MessageType::Binary : MessageType::Text);
  return backend.send(to, message, {.except = command.except, .id = id}, std::move(onDone));
}

void CommandRun::onDone(std::size_t outcome, const Result<Receipt>& receipt) {
  if (receipt) {
    outcomes_[outcome].receipt = receipt.value();
  } else {
    outcomes_[outcome].problem = rejected(receipt.error());
  }
  if (--waiting_ == 0) answerAll();
}

void CommandRun::onTimeout() {
  timer_ = 0;
  const Problem late = unavailable(
      "the Channel has not acknowledged it in time: it may still take effect; with an "
      "Idempotency-Key a retry is harmless");
  for (Outcome& outcome : outcomes_) {
    if (!outcome.receipt && !outcome.problem) outcome.problem = late;
  }
  answerAll();
}

void CommandRun::answerAll() {
  if (timer_ != 0) Timer::cancel(std::exchange(timer_, 0));
  if (!response_.isOpen()) return;
  Value results = Value::list();
  std::optional<Problem> temporary;
  for (const Outcome& outcome : outcomes_) {
    if (outcome.problem && outcome.problem->status == 503 && !temporary) {
      temporary = *outcome.problem;
    }
  }
  std::size_t at = 0;
  for (std::size_t i = 0; i < commands_.size(); ++i) results.append(resultOf(i, at));
  if (!isBatch_) {
    const bool isWhole = !commands_.front().isList && outcomes_.front().problem;
    if (isWhole) return answer(response_, *outcomes_.front().problem);
    if (temporary) return answer(response_, *temporary, results[0]);
    return answer(response_, 200, results[0]);
  }
  Value body = Value::object({{"results", std::move(results)}});
  if (temporary) return answer(response_, *temporary, std::move(body));
  answer(response_, 200, body);
}

Value CommandRun::resultOf(std::size_t command, std::size_t& outcome) const {
  if (!commands_[command].isList) return valueOf(outcomes_[outcome++]);
  Value results = Value::list();
  for (; outcome < outcomes_.size() && outcomes_[outcome].command == command; ++outcome) {
    Value result = Value::object({{"group", outcomes_[outcome].group}});
    for (const auto& [key, element] : valueOf(outcomes_[outcome])) result.set(key, element);
    results.append(std::move(result));
  }
  Value value = Value::object({{"results", std::move(results)}});
  if (!commands_[command].pattern.empty()) value.set("complete", areGroupsComplete_);
  return value;
}

Value CommandRun::valueOf(const Outcome& outcome) const {
  if (outcome.problem) return outcome.problem->value();
  return receiptValue(*outcome.receipt);
}

void CommandRun::refuse(const Problem& problem) { answer(response_, problem); }

}  // namespace stormo::server::api

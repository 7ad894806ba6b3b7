#include "channel/nats/nats_thread.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "channel/nats/stream_setup.h"
#include "sys/detached_thread.h"
#include "sys/log.h"
#include "sys/random_id.h"

namespace stormo::channel {
namespace {

using std::chrono::milliseconds;

// Pauses between attempts grow from the first to the second, each shortened by up to a half.
constexpr milliseconds kPauseMin{200};
constexpr milliseconds kPauseMax{2000};
// After a link that has lasted so long, they begin with the first again.
constexpr std::chrono::seconds kLasting{30};

std::string withDetail(const std::string& text, const std::string& detail) {
  return detail.empty() ? text : fmt::format("{} ({})", text, detail);
}

}  // namespace

std::shared_ptr<NatsThread> NatsThread::start(ClusterSettings settings,
                                              std::vector<ServerUrl> servers,
                                              std::shared_ptr<NatsMailbox> mailbox) {
  std::shared_ptr<NatsThread> self(
      new NatsThread(std::move(settings), std::move(servers), std::move(mailbox)));
  startDetachedThread([self] { self->run(); });
  return self;
}

NatsThread::NatsThread(ClusterSettings settings, std::vector<ServerUrl> servers,
                       std::shared_ptr<NatsMailbox> mailbox)
    : settings_(std::move(settings)),
      servers_(std::move(servers)),
      mailbox_(std::move(mailbox)),
      random_(static_cast<std::minstd_rand::result_type>(randomId())),
      nextServer_(random_() % servers_.size()) {}

void NatsThread::add(NatsCommand command) {
  const std::lock_guard lock(mutex_);
  commands_.push_back(std::move(command));
  if (commands_.size() == 1) changed_.notify_all();
}

void NatsThread::stop(milliseconds patience) {
  std::unique_lock lock(mutex_);
  isStopping_ = true;
  changed_.notify_all();
  changed_.wait_for(lock, patience, [this] { return hasEnded_; });
}

bool NatsThread::isStopping() {
  const std::lock_guard lock(mutex_);
  return isStopping_;
}

void NatsThread::run() {
  while (!isStopping()) {
    std::string reason;
    std::unique_ptr<NatsLink> link = connectToAny(nullptr, reason);
    if (!link) {
      report(std::move(reason));
      pause();
      continue;
    }
    begin(*link);
    const auto begun = std::chrono::steady_clock::now();
    End end = serve(*link, reason);
    while (end == End::LameDuck) {
      // The old connection works until the new one does.
      std::string unused;
      if (auto next = connectToAny(&link->server(), unused)) {
        link = std::move(next);
        begin(*link);
      }
      end = serve(*link, reason);
    }
    if (end == End::Stopped) {
      link->finish();
      break;
    }
    report(std::move(reason));
    link.reset();
    if (std::chrono::steady_clock::now() - begun > kLasting) attempts_ = 0;
    pause();
  }
  const std::lock_guard lock(mutex_);
  hasEnded_ = true;
  changed_.notify_all();
}

std::unique_ptr<NatsLink> NatsThread::connectToAny(const ServerUrl* except, std::string& reason) {
  const NatsLibrary* const library = NatsLibrary::load(reason);
  if (library == nullptr) return nullptr;
  std::vector<std::string> problems(servers_.size());
  for (std::size_t i = 0; i < servers_.size() && !isStopping(); ++i) {
    const std::size_t tried = (nextServer_ + i) % servers_.size();
    const ServerUrl& server = servers_[tried];
    if (except != nullptr && except->name() == server.name()) continue;
    if (auto link = connectTo(*library, server, problems[tried])) {
      // If it is lost, the others are better candidates.
      nextServer_ = (tried + 1) % servers_.size();
      return link;
    }
    problems[tried] = fmt::format("{}: {}", server.name(), problems[tried]);
  }
  std::erase(problems, "");
  reason = fmt::format("no connection to NATS: {}", fmt::join(problems, "; "));
  return nullptr;
}

std::unique_ptr<NatsLink> NatsThread::connectTo(const NatsLibrary& library, const ServerUrl& server,
                                                std::string& problem) {
  const auto signals = std::make_shared<LinkSignals>();
  auto connection =
      NatsConnection::connect(library, settings_, server, handlersFor(signals), problem);
  if (!connection) return nullptr;
  auto link = std::make_unique<NatsLink>(++lastLink_, server, settings_, mailbox_,
                                         std::move(connection), signals);
  if (!link->subscribe()) {
    problem = "the connection was lost";
    return nullptr;
  }
  const auto setup = setUpStream(library, link->connection(), settings_, problem);
  if (!setup) {
    const std::lock_guard lock(mutex_);
    problem = withDetail(problem, signals->serverError);
    return nullptr;
  }
  warnOnce(setup->differences);
  link->info = setup->info;
  return link;
}

NatsConnection::Handlers NatsThread::handlersFor(std::shared_ptr<LinkSignals> signals) {
  const std::weak_ptr<NatsThread> weak = weak_from_this();
  const auto change = [weak](const std::function<void()>& set) {
    if (const auto self = weak.lock()) self->signal(set);
  };
  return {.onClosed =
              [change, signals](const std::string& reason) {
                change([&] {
                  signals->isClosed = true;
                  signals->closedReason = reason;
                });
              },
          .onLameDuck = [change, signals] { change([&] { signals->isLameDuck = true; }); },
          .onServerError =
              [change, signals](const std::string& text) {
                change([&] { signals->serverError = text; });
              }};
}

void NatsThread::signal(const std::function<void()>& change) {
  const std::lock_guard lock(mutex_);
  change();
  changed_.notify_all();
}

void NatsThread::warnOnce(const std::string& differences) {
  if (differences.empty() || differences == warned_) return;
  warned_ = differences;
  log::warning(
      "the cluster's stream differs from the settings, and is used as it is stream=\"{}\" "
      "differences=\"{}\"",
      settings_.stream, differences);
}

void NatsThread::begin(const NatsLink& link) {
  reported_.clear();
  mailbox_->push({.kind = NatsEvent::Kind::Connected, .link = link.number(), .info = link.info});
}

NatsThread::End NatsThread::serve(NatsLink& link, std::string& reason) {
  LinkSignals& signals = link.signals();
  std::vector<NatsCommand> commands;
  for (bool isLast = false; !isLast;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] {
        return !commands_.empty() || isStopping_ || signals.isClosed || signals.isLameDuck;
      });
      if (signals.isClosed) {
        reason = fmt::format("lost the connection to {}", link.server().name());
        reason = withDetail(
            reason, signals.serverError.empty() ? signals.closedReason : signals.serverError);
        return End::Lost;
      }
      if (std::exchange(signals.isLameDuck, false) && !isStopping_) return End::LameDuck;
      commands.clear();
      commands.swap(commands_);
      isLast = isStopping_;
    }
    for (NatsCommand& command : commands) {
      if (command.link != link.number()) continue;
      if (command.kind == NatsCommand::Kind::Fail) {
        const std::lock_guard lock(mutex_);
        reason = withDetail(command.text, signals.serverError);
        return End::Lost;
      }
      link.execute(command);
    }
  }
  return End::Stopped;
}

void NatsThread::report(std::string reason) {
  if (reason == reported_) return;
  reported_ = reason;
  mailbox_->push({.kind = NatsEvent::Kind::Disconnected, .text = std::move(reason)});
}

void NatsThread::pause() {
  const auto longest = std::min(kPauseMax, kPauseMin * (1 << std::min(attempts_, 4)));
  ++attempts_;
  std::uniform_int_distribution<std::int64_t> shortened(longest.count() / 2, longest.count());
  std::unique_lock lock(mutex_);
  commands_.clear();
  changed_.wait_for(lock, milliseconds(shortened(random_)), [this] { return isStopping_; });
}

}  // namespace stormo::channel

#include "server/control_values.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <optional>
#include <stdexcept>
#include <utility>

#include "access/sha256.h"
#include "protocol/channel/packet.h"

namespace stormo::server {
namespace {

using Kind = Audience::Kind;

constexpr std::size_t kLimitMax = 1000;

std::uint64_t naturalIn(const Value& value) {
  return value.asInt() < 0 ? 0 : static_cast<std::uint64_t>(value.asInt());
}

/// Reads the pages of all processes, each of which is sorted by key and is one of its own list.
template <typename Item>
class PageMerger {
 public:
  /// `read(const Value&, std::string& key)` returns the item, or nothing if it is malformed;
  /// `add(Item&, Item&&)` adds one to another of the same key.
  template <typename Read, typename Add>
  void take(const Replies& replies, const Read& read, const Add& add) {
    isComplete = replies.isComplete;
    for (const Value& reply : replies.values) {
      if (!reply["items"].isArray()) {
        isComplete = false;
        continue;
      }
      std::string last;
      for (const auto& [index, element] : reply["items"]) {
        std::string key;
        std::optional<Item> item = read(element, key);
        if (!item) {
          isComplete = false;
          continue;
        }
        last = std::max(last, key);
        const auto [at, isNew] = items_.try_emplace(std::move(key), std::move(*item));
        if (!isNew) add(at->second, std::move(*item));
      }
      if (!reply["more"].asBool()) continue;
      hasMore = true;
      // Beyond its last item that process may have parts of what others have stated.
      if (!end_ || last < *end_) end_ = last;
    }
  }

  std::vector<Item> page(std::size_t limit) {
    std::vector<Item> page;
    for (auto& [key, item] : items_) {
      const bool isBeyond = end_ && key > *end_;
      if (isBeyond || page.size() == limit) {
        hasMore = true;
        break;
      }
      page.push_back(std::move(item));
    }
    return page;
  }

  bool hasMore = false;
  bool isComplete = true;

 private:
  std::map<std::string, Item> items_;
  std::optional<std::string> end_;  // the page ends here
};

std::optional<Backend::Client> clientIn(const Value& value, std::string& key) {
  if (!value["id"].isString()) return std::nullopt;
  Backend::Client client{.id = value["id"].text(),
                         .user = value["user"].text(),
                         .info = value["info"].text(),
                         .address = value["address"].text(),
                         .protocol = value["protocol"].text(),
                         .connectedAt = value["connected_at"].asInt()};
  for (const auto& [index, group] : value["groups"]) client.groups.push_back(group.text());
  std::ranges::sort(client.groups);
  key = client.id;
  return client;
}

}  // namespace

Value commandFor(const Audience& who, std::string_view command) {
  if (who.kind() == Kind::Group) {
    throw std::invalid_argument("a command is for a user, a client or everybody, not for a group");
  }
  Value value = Value::array({{"cmd", command}});
  addAudience(who, value);
  return value;
}

void addAudience(const Audience& of, Value& question) {
  switch (of.kind()) {
    case Kind::Group:
      question.set("group", of.id());
      return;
    case Kind::User:
      question.set("user", of.id());
      return;
    case Kind::Client:
      question.set("client", of.id());
      return;
    case Kind::Everybody:
      question.set("all", true);
  }
}

Value revocationValue(const Backend::Revocation& revocation) {
  if (revocation.user.empty() == revocation.token.empty()) {
    throw std::invalid_argument("a revocation is for a user or for a token, and not for both");
  }
  Value value = revocation.token.empty() ? Value::array({{"user", revocation.user}})
                                         : Value::array({{"token", revocation.token}});
  if (revocation.issuedBefore) value.set("issued_before", *revocation.issuedBefore);
  value.set("until", revocation.until);
  return value;
}

std::uint64_t revocationKey(const Backend::Revocation& revocation) {
  return access::sha256Start(revocation.token.empty() ? "user " + revocation.user
                                                      : "token " + revocation.token);
}

std::string exceptionsText(const std::vector<Audience>& except) {
  std::string text;
  for (const Audience& each : except) {
    if (each.kind() != Kind::User && each.kind() != Kind::Client) {
      throw std::invalid_argument("only users and clients can be excepted");
    }
    text += static_cast<char>(each.channelName().size());
    text += each.channelName();
  }
  if (text.size() > channel::kExceptBytesMax) {
    throw std::invalid_argument("too many users and clients are excepted: their names may have " +
                                std::to_string(channel::kExceptBytesMax) + " bytes");
  }
  return text;
}

Value questionFor(std::string_view ask, const Backend::Page& page) {
  if (page.limit == 0 || page.limit > kLimitMax) {
    throw std::invalid_argument("a page has 1 to " + std::to_string(kLimitMax) + " items");
  }
  return Value::array(
      {{"ask", ask}, {"pattern", page.pattern}, {"after", page.after}, {"limit", page.limit}});
}

Backend::Counts mergeCounts(const Replies& replies, std::size_t limit) {
  using Count = Backend::Count;
  PageMerger<Count> merger;
  merger.take(
      replies,
      [](const Value& value, std::string& key) -> std::optional<Count> {
        if (!value["name"].isString()) return std::nullopt;
        key = value["name"].text();
        return Count{.name = key, .clients = naturalIn(value["clients"])};
      },
      [](Count& to, Count&& other) { to.clients += other.clients; });
  Backend::Counts counts{.items = merger.page(limit)};
  counts.hasMore = merger.hasMore;
  counts.isComplete = merger.isComplete;
  return counts;
}

Backend::Clients mergeClients(const Replies& replies, std::size_t limit) {
  PageMerger<Backend::Client> merger;
  merger.take(replies, clientIn, [](Backend::Client&, Backend::Client&&) {});
  Backend::Clients clients{.items = merger.page(limit)};
  clients.hasMore = merger.hasMore;
  clients.isComplete = merger.isComplete;
  return clients;
}

Backend::Totals mergeTotals(const Replies& replies) {
  Backend::Totals totals{.isComplete = replies.isComplete};
  for (const Value& reply : replies.values) {
    totals.clients += naturalIn(reply["clients"]);
    totals.users += naturalIn(reply["users"]);
    totals.groups += naturalIn(reply["groups"]);
    ++totals.processes;
  }
  return totals;
}

}  // namespace stormo::server

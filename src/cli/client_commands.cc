#include "cli/client_commands.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <stormo/json.h>

#include <ctime>
#include <string>
#include <utility>
#include <vector>

#include "cli/backend_command.h"
#include "cli/printable.h"
#include "process/text_table.h"

namespace {

using namespace stormo;
using cli::InstanceLink;
using cli::printable;
using process::TextTable;

constexpr std::size_t kPage = 1000;

void warnIfIncomplete(const CLI::App& app, bool isComplete) {
  if (isComplete) return;
  std::fprintf(stderr, "%s: a process did not reply: the list is not complete\n",
               app.get_name().c_str());
}

/// All pages of a list.
template <typename Page, typename Ask, typename NameOf>
Page allPages(InstanceLink& link, Backend::Page page, const Ask& ask, const NameOf& nameOf) {
  Page all;
  page.limit = kPage;
  do {
    Page next = cli::replyTo<Page>(link, [&](auto onReply) { ask(page, std::move(onReply)); });
    all.isComplete = all.isComplete && next.isComplete;
    all.hasMore = next.hasMore && !next.items.empty();
    if (!next.items.empty()) page.after = nameOf(next.items.back());
    for (auto& item : next.items) all.items.push_back(std::move(item));
  } while (all.hasMore);
  return all;
}

Backend::Clients clientsOf(InstanceLink& link, const Audience& of) {
  return allPages<Backend::Clients>(
      link, {},
      [&](const Backend::Page& page, auto onReply) {
        link.backend().clients(of, page, std::move(onReply));
      },
      [](const Backend::Client& client) { return client.id; });
}

std::string timeText(std::int64_t seconds) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::localtime(static_cast<std::time_t>(seconds)));
}

Value valueOf(const Backend::Client& client) {
  const auto info = client.info.empty() ? std::nullopt : parseJson(client.info);
  return Value::object({{"id", client.id},
                        {"user", client.user.empty() ? Value() : Value(client.user)},
                        {"info", info ? *info : Value()},
                        {"address", client.address},
                        {"protocol", client.protocol},
                        {"connected_at", client.connectedAt},
                        {"groups", Value::list(client.groups)}});
}

using AskCounts = void (Backend::*)(const Backend::Page&,
                                    std::function<void(const Result<Backend::Counts>&)>);

/// `stormo groups` and `stormo users`.
int runCounts(CLI::App& app, int argc, char** argv, const char* heading, const char* member,
              AskCounts ask) {
  InstanceLink link;
  std::string pattern;
  bool json = false;
  app.add_option("--pattern", pattern, "Only names that match, as for file names: 'room.*'");
  app.add_flag("--json", json, "Print JSON");
  link.addOptions(app);
  return cli::runWithLink(app, argc, argv, link, [&] {
    const auto counts = allPages<Backend::Counts>(
        link, {.pattern = pattern},
        [&](const Backend::Page& page, auto onReply) {
          (link.backend().*ask)(page, std::move(onReply));
        },
        [](const Backend::Count& count) { return count.name; });
    warnIfIncomplete(app, counts.isComplete);
    Value list = Value::list();
    TextTable table({heading, "CLIENTS"});
    for (const Backend::Count& each : counts.items) {
      list.append(Value::object({{member, each.name}, {"clients", each.clients}}));
      table.add({printable(each.name), std::to_string(each.clients)});
    }
    printOut(json ? toJson(list) + '\n' : table.text());
    return 0;
  });
}

}  // namespace

int runGroups(int argc, char** argv) {
  CLI::App app("List the groups that have members", "stormo groups");
  return runCounts(app, argc, argv, "GROUP", "name", &Backend::groups);
}

int runUsers(int argc, char** argv) {
  CLI::App app("List the users that have clients", "stormo users");
  return runCounts(app, argc, argv, "USER", "user", &Backend::users);
}

int runClients(int argc, char** argv) {
  CLI::App app("List the clients", "stormo clients");
  InstanceLink link;
  std::string user;
  std::string group;
  bool json = false;
  auto* ofUser = app.add_option("--user", user, "Only those of this user");
  auto* ofGroup = app.add_option("--group", group, "Only the members of this group");
  ofGroup->excludes(ofUser);
  app.add_flag("--json", json, "Print JSON");
  link.addOptions(app);
  return cli::runWithLink(app, argc, argv, link, [&] {
    // An empty name is a mistake, not everybody: a script's variable that is not set.
    const Audience of = ofUser->count() > 0    ? Audience::user(user)
                        : ofGroup->count() > 0 ? Audience::group(group)
                                               : Audience::everybody();
    const Backend::Clients clients = clientsOf(link, of);
    warnIfIncomplete(app, clients.isComplete);
    Value list = Value::list();
    TextTable table({"CLIENT", "USER", "ADDRESS", "PROTOCOL", "CONNECTED", "GROUPS"});
    for (const Backend::Client& each : clients.items) {
      list.append(valueOf(each));
      std::vector<std::string> groups;
      for (const std::string& name : each.groups) groups.push_back(printable(name));
      table.add({printable(each.id), each.user.empty() ? "-" : printable(each.user),
                 printable(each.address), printable(each.protocol), timeText(each.connectedAt),
                 fmt::format("{}", fmt::join(groups, " "))});
    }
    printOut(json ? toJson(list) + '\n' : table.text());
    return 0;
  });
}

int runKick(int argc, char** argv) {
  CLI::App app("Close the clients of a user, or one client. They may connect again", "stormo kick");
  InstanceLink link;
  std::string user;
  std::string client;
  std::string reason;
  std::uint16_t code = 1008;
  auto* ofUser = app.add_option("user", user, "The user");
  app.add_option("--client", client, "Id of a client, as 'stormo clients' shows it")
      ->excludes(ofUser);
  app.add_option("--code", code, "Close code: 1000, 1008, or 3000 to 4999")->capture_default_str();
  app.add_option("--reason", reason, "Text that the client receives, of at most 123 bytes");
  bool json = false;
  app.add_flag("--json", json, "Print JSON");
  link.addOptions(app);
  return cli::runWithLink(app, argc, argv, link, [&] {
    if (user.empty() == client.empty()) {
      throw std::invalid_argument("name a user, or a client with --client");
    }
    const Audience who = user.empty() ? Audience::client(client) : Audience::user(user);
    const std::size_t count = clientsOf(link, who).items.size();
    std::optional<Result<Receipt>> receipt;
    if (count > 0) {
      const PublishStatus status =
          link.backend().disconnect(who, static_cast<CloseCode>(code), reason,
                                    [&](const Result<Receipt>& made) { receipt = made; });
      if (status != PublishStatus::Accepted) throw std::runtime_error("the Channel is full");
      link.runUntil("the Channel has not acknowledged it", [&] { return receipt.has_value(); });
      if (!*receipt) throw std::runtime_error(receipt->error().message());
    }
    if (json) {
      printOut(fmt::format("{{\"clients\":{}}}\n", count));
    } else if (count == 0) {
      throw std::runtime_error("no such client is connected");
    } else {
      printOut(fmt::format("{} {} closed\n", count, count == 1 ? "client is" : "clients are"));
    }
    return count > 0 ? 0 : 1;
  });
}

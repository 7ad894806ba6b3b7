#include "cli/message_commands.h"

#include <fmt/format.h>
#include <stormo/json.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string>
#include <vector>

#include "cli/backend_command.h"
#include "cli/printable.h"
#include "protocol/text/base64.h"
#include "sys/error_text.h"

namespace {

using namespace stormo;
using cli::InstanceLink;

/// Publishes with as many on their way as the Channel takes.
class Publisher {
 public:
  Publisher(InstanceLink& link, Audience to, bool json)
      : link_(link), to_(std::move(to)), json_(json) {}

  void publish(const std::string& text) {
    PublishStatus status = PublishStatus::Full;
    link_.runUntil("the Channel takes nothing", [&] {
      status = link_.backend().send(to_, text,
                                    [this](const Result<Receipt>& receipt) { onReceipt(receipt); });
      return status != PublishStatus::Full;
    });
    if (status == PublishStatus::Refused) refuse();
    ++sent_;
  }
  /// Each line of stdin, when it comes. The link is served while there is none.
  void publishLines() {
    std::string lines;
    char bytes[65536];
    while (true) {
      link_.runUntilReadable(STDIN_FILENO);
      const ssize_t size = ::read(STDIN_FILENO, bytes, sizeof bytes);
      if (size < 0 && errno == EINTR) continue;
      if (size < 0) throw std::runtime_error("cannot read stdin: " + errorText(errno));
      if (size == 0) break;
      lines.append(bytes, static_cast<std::size_t>(size));
      std::size_t begin = 0;
      for (std::size_t end = 0; (end = lines.find('\n', begin)) != lines.npos; begin = end + 1) {
        publish(lines.substr(begin, end - begin));
      }
      lines.erase(0, begin);
      if (lines.size() > link_.channel().frameBytesMax()) refuse();
    }
    if (!lines.empty()) publish(lines);  // the last one, without its end
  }
  void finish() {
    link_.runUntil("the Channel has not acknowledged all", [this] { return done_ == sent_; });
    if (!problem_.empty()) throw std::runtime_error("the Channel has rejected it: " + problem_);
  }

 private:
  [[noreturn]] void refuse() {
    finish();  // those before it
    throw std::runtime_error(fmt::format(
        "message {} is longer than the Channel accepts, {} bytes; those before it were published",
        sent_ + 1, link_.channel().frameBytesMax()));
  }
  void onReceipt(const Result<Receipt>& receipt) {
    ++done_;
    if (!receipt) {
      problem_ = receipt.error().message();
    } else if (json_) {
      const Position& at = receipt.value().position;
      printOut(fmt::format("{{\"epoch\":\"{:016x}\",\"offset\":{}}}\n", at.epoch, at.offset));
    }
  }

  InstanceLink& link_;
  const Audience to_;
  const bool json_;
  std::size_t sent_ = 0;
  std::size_t done_ = 0;
  std::string problem_;
};

/// For options without a sign: CLI11 reads -1 as the largest number.
std::string isNotNegative(const std::string& word) {
  return word.starts_with('-') ? word + " is negative" : std::string();
}

void print(const GroupMessage& message, bool json, bool withGroup) {
  std::string line;
  if (json) {
    Value value = Value::object({{"group", message.group}, {"offset", message.offset}});
    if (message.message.isBinary()) {
      std::string text;
      appendBase64(message.message.data, text);
      value.set("binary", std::move(text));
    } else {
      value.set("message", message.message.data);
    }
    line = toJson(value);
  } else {
    const std::string group = withGroup ? cli::printable(message.group) + ' ' : std::string();
    line = fmt::format("{}{} {}", group, message.offset, cli::printable(message.message.data));
  }
  printOut(line + '\n');
}

}  // namespace

int runPub(int argc, char** argv) {
  CLI::App app(
      "Publish a text to a group, or without a text each line of stdin. Returns when the Channel's "
      "log has it",
      "stormo pub");
  InstanceLink link;
  std::string group;
  std::optional<std::string> text;
  bool json = false;
  app.add_option("group", group, "Name of the group")->required();
  app.add_option("text", text, "The message");
  app.add_flag("--json", json, "Print the position of each message");
  link.addOptions(app);
  return cli::runWithLink(app, argc, argv, link, [&] {
    Publisher publisher(link, Audience::group(group), json);
    if (text) {
      publisher.publish(*text);
    } else {
      publisher.publishLines();
    }
    publisher.finish();
    return 0;
  });
}

int runSub(int argc, char** argv) {
  CLI::App app("Print the messages of groups, each with its offset, until Ctrl-C", "stormo sub");
  InstanceLink link;
  std::vector<std::string> groups;
  std::optional<std::uint64_t> since;
  std::size_t count = 0;
  bool json = false;
  app.add_option("groups", groups, "Names of the groups")->required();
  app.add_option("--since", since,
                 "First the messages after this offset, as far as the groups have a history")
      ->check(&isNotNegative);
  app.add_option("-n,--count", count, "End after this number of messages")->check(&isNotNegative);
  app.add_flag("--json", json, "Print a JSON object on each line");
  link.addOptions(app);
  return cli::runWithLink(app, argc, argv, link, [&] {
    Channel& channel = link.channel();
    std::size_t printed = 0;
    const auto show = [&](const GroupMessage& message) {
      if (count != 0 && printed == count) return;
      print(message, json, groups.size() > 1);
      ++printed;
    };
    channel.onGroupMessage = show;
    channel.onGap = [] { std::fputs("stormo sub: messages may be missing here\n", stderr); };
    for (const std::string& group : groups) {
      static_cast<void>(Audience::group(group));
      channel.subscribeGroup(group);
      if (!since) continue;
      const Position from{.epoch = channel.position().epoch, .offset = *since};
      channel.requestHistory(group, from, [&, group](const HistoryReply& reply) {
        if (!reply.isWhole) {
          std::fprintf(stderr, "stormo sub: earlier messages of %s are missing\n",
                       cli::printable(group).c_str());
        }
        for (const GroupMessage& message : reply.messages) show(message);
      });
    }
    link.runUntil(
        "", [&] { return count != 0 && printed >= count; }, std::chrono::milliseconds(0));
    return 0;
  });
}

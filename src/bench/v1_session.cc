#include "bench/v1_session.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <random>

#include "bench/client_frames.h"

namespace stormo::bench {
namespace {

/// The text after `key`; empty if there is no such key. The server writes no white space.
std::string_view after(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(key);
  return at == text.npos ? std::string_view() : text.substr(at + key.size());
}

std::uint64_t numberIn(std::string_view text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::string textFrame(const std::string& text) {
  return clientFrame(websocket::Opcode::Text, text);
}

/// Differs between two load tests on one server, which knows the sessions of both.
std::uint64_t ofThisTest() {
  static const std::uint64_t kDrawn = std::uint64_t{std::random_device{}()} << 32;
  return kDrawn;
}

}  // namespace

V1Session::V1Session(std::uint64_t number, std::string group)
    : session_(fmt::format("{:016x}", ofThisTest() + number + 1)), group_(std::move(group)) {}

std::string V1Session::greeting() {
  std::string out =
      textFrame(fmt::format(R"({{"id":{},"cmd":"session","session":"{}"}})", ++lastId_, session_));
  joinId_ = ++lastId_;
  const std::string position =
      epoch_.empty() ? "" : fmt::format(R"(,"epoch":"{}","offset":{})", epoch_, offset_);
  out += textFrame(
      fmt::format(R"({{"id":{},"cmd":"join","group":"{}"{}}})", joinId_, group_, position));
  for (const Sent& each : unanswered_) out += each.frame;
  return out;
}

std::string_view V1Session::send(std::string_view message) {
  const std::uint64_t id = ++lastId_;
  unanswered_.push_back(
      {id, textFrame(fmt::format(R"({{"id":{},"cmd":"send","group":"{}","message":"{}"}})", id,
                                 group_, message))});
  return unanswered_.back().frame;
}

V1Session::Text V1Session::onText(std::string_view text) {
  if (text.starts_with(R"({"event":"message")")) {
    offset_ = numberIn(after(text, R"("offset":)"));
    return Text::Message;
  }
  if (!text.starts_with(R"({"id":)")) return Text::Other;
  const std::uint64_t id = numberIn(text.substr(6));
  const bool isOk = !after(text, R"("ok":true)").empty();
  if (id == joinId_ && isOk) {
    const bool isGap = !epoch_.empty() && after(text, R"("recovered":true)").empty();
    epoch_ = after(text, R"("epoch":")").substr(0, 16);
    offset_ = numberIn(after(text, R"("offset":)"));
    return isGap ? Text::Gap : Text::Joined;
  }
  std::erase_if(unanswered_, [id](const Sent& each) { return each.id == id; });
  return isOk ? Text::Other : Text::Rejected;
}

}  // namespace stormo::bench

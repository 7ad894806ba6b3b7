// Sections 1 to 5, 7, 9 and 10: everything but the contents of messages.
#include <fmt/format.h>

#include <initializer_list>

#include "integration/conformance/echo_case.h"

namespace stormo::integration {
namespace {

using test::binaryFrame;
using test::textFrame;
using test::WebSocketClient;
using websocket::Opcode;
using Frame = EchoCase::Frame;
using Writes = std::vector<std::string>;

constexpr std::size_t kKiB = 1024;
constexpr std::size_t kMiB = 1024 * kKiB;

std::string frame(int first, std::string_view payload) {
  return WebSocketClient::frame(first, payload);
}
std::string text(std::string_view payload) { return frame(0x81, payload); }
std::string ping(std::string_view payload) { return frame(0x89, payload); }
Frame pong(std::string payload) { return {.opcode = Opcode::Pong, .payload = std::move(payload)}; }

Frame messageOf(int opcode, std::string payload) {
  return opcode == 1 ? textFrame(std::move(payload)) : binaryFrame(std::move(payload));
}

/// Text, or bytes that are not.
std::string payloadOf(int opcode, std::size_t bytes) {
  std::string payload(bytes, '\0');
  for (std::size_t i = 0; i < bytes; ++i) {
    payload[i] = static_cast<char>(opcode == 1 ? ' ' + i * 7 % 90 : i * 7 + i / 251);
  }
  return payload;
}

/// Each case also byte by byte.
void add(EchoCases& cases, EchoCase each) {
  EchoCase chopped = each;
  chopped.name += " in chops of a byte";
  for (EchoCase::Step& step : chopped.steps) {
    std::string all;
    for (const std::string& write : step.writes) all += write;
    step.writes = chops(all);
  }
  cases.push_back(std::move(each));
  cases.push_back(std::move(chopped));
}

}  // namespace

EchoCases framingCases() {
  EchoCases cases;
  for (const int opcode : {1, 2}) {
    for (const std::size_t bytes : {0, 125, 126, 127, 128, 65535, 65536}) {
      const std::string payload = payloadOf(opcode, bytes);
      const std::string whole = frame(0x80 | opcode, payload);
      const std::string name = fmt::format("1.{} of {} bytes", opcode, bytes);
      cases.push_back(answered(name, {whole}, {messageOf(opcode, payload)}));
      cases.push_back(
          answered(name + ", chopped", chops(whole, 997), {messageOf(opcode, payload)}));
    }
  }
  return cases;
}

EchoCases pingCases() {
  EchoCases cases;
  const std::string bytes("\x00\xff\xfe\xfd\xfc\xfb\x00\xff", 8);
  const std::string longest(125, '\xfe');
  add(cases, answered("2.1", {ping("")}, {pong("")}));
  add(cases, answered("2.2", {ping("Hello, world!")}, {pong("Hello, world!")}));
  add(cases, answered("2.3", {ping(bytes)}, {pong(bytes)}));
  add(cases, answered("2.4 and 2.6", {ping(longest)}, {pong(longest)}));
  add(cases, failed("2.5", {ping(longest + 'x')}));
  add(cases, answered("2.7", {frame(0x8a, "")}, {}));
  add(cases, answered("2.8", {frame(0x8a, "unsolicited")}, {}));
  add(cases, answered("2.9", {frame(0x8a, "unsolicited"), ping("asked")}, {pong("asked")}));
  // Of pings that come together only the latest needs an answer (RFC 6455 5.5.3).
  std::vector<EchoCase::Step> pings;
  for (int i = 0; i < 10; ++i) {
    const std::string payload = fmt::format("ping {}", i);
    pings.push_back({{ping(payload)}, {pong(payload)}});
  }
  add(cases, answered("2.10 and 2.11", pings));
  cases.push_back(failed("a ping, and a close in the same write", {ping("p") + closeFrame(1000)},
                         {pong("p")}, CloseCode::Normal));
  return cases;
}

EchoCases reservedBitCases() {
  EchoCases cases;
  for (int bits = 0x10; bits <= 0x70; bits += 0x10) {
    const auto name = [&](int number) { return fmt::format("3.{} with {:#x}", number, bits); };
    const Writes between = {text("before"), frame(0x81 | bits, "reserved"), ping("after")};
    add(cases, failed(name(1), {frame(0x81 | bits, "reserved")}));
    add(cases, failed(name(2), between, {textFrame("before")}));
    add(cases, failed(name(5), {frame(0x82 | bits, "\x01\xff")}));
    add(cases, failed(name(6), {frame(0x89 | bits, "reserved")}));
    add(cases, failed(name(7), {frame(0x88 | bits, "")}));
  }
  return cases;
}

EchoCases opcodeCases() {
  EchoCases cases;
  for (const int opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15}) {
    const auto name = [&](const char* what) { return fmt::format("4 of {} {}", opcode, what); };
    add(cases, failed(name("empty"), {frame(0x80 | opcode, "")}));
    add(cases, failed(name("with payload"), {frame(0x80 | opcode, "reserved")}));
    const Writes between = {text("before"), frame(0x80 | opcode, "reserved"), ping("after")};
    add(cases, failed(name("after a text"), between, {textFrame("before")}));
  }
  return cases;
}

EchoCases fragmentationCases() {
  EchoCases cases;
  const std::string first = frame(0x01, "frag");
  const std::string last = frame(0x80, "ment");
  const std::string more = frame(0x00, "more");
  const Frame message = textFrame("fragment");
  const Frame whole = textFrame("whole");
  add(cases, failed("5.1", {frame(0x09, "frag"), last}));
  add(cases, failed("5.2", {frame(0x0a, "frag"), last}));
  add(cases, answered("5.3 to 5.5", {first, last}, {message}));
  add(cases, answered("5.6 to 5.8", {{{first, ping("p")}, {pong("p")}}, {{last}, {message}}}));
  add(cases, failed("5.9 to 5.11", {last, text("whole")}));
  add(cases, failed("5.12 to 5.14", {more, text("whole")}));
  add(cases, failed("5.15", {first, last, more, text("whole")}, {message}));
  add(cases, failed("5.16", {more, first, last}));
  add(cases, failed("5.17", {last, first, last}));
  add(cases, failed("5.18", {first, frame(0x81, "ment")}));
  add(cases, answered("5.19 and 5.20",
                      {{{first, more, ping("p1")}, {pong("p1")}},
                       {{more, more, ping("p2")}, {pong("p2")}},
                       {{last, text("whole")}, {textFrame("fragmoremoremorement"), whole}}}));
  const std::string payload = payloadOf(1, 65536);
  cases.push_back(answered("10.1.1", fragments(1, payload, 1300), {textFrame(payload)}));
  return cases;
}

EchoCases closeCases() {
  EchoCases cases;
  const std::string close = closeFrame(1000);
  const auto closed = [](const std::string& name, Writes writes, std::vector<Frame> replies = {},
                         CloseCode code = CloseCode::Normal) {
    return failed(name, std::move(writes), std::move(replies), code);
  };
  add(cases, closed("7.1.1", {text("Hello"), close}, {textFrame("Hello")}));
  add(cases, closed("7.1.2", {close, close}));
  add(cases, closed("7.1.3", {close, ping("late")}));
  add(cases, closed("7.1.4", {close, text("late")}));
  add(cases, closed("7.1.5", {frame(0x01, "frag"), close, frame(0x80, "ment")}));
  const std::string large = payloadOf(1, 256 * kKiB);
  cases.push_back(closed("7.1.6", {text(large), close, ping("late")}, {textFrame(large)}));
  add(cases, closed("7.3.1", {frame(0x88, "")}, {}, CloseCode::NoStatus));
  add(cases, failed("7.3.2", {frame(0x88, "x")}));
  add(cases, closed("7.3.3", {close}));
  add(cases, closed("7.3.4", {closeFrame(1000, "a reason")}));
  add(cases, closed("7.3.5", {closeFrame(1000, std::string(123, '*'))}));
  add(cases, failed("7.3.6", {closeFrame(1000, std::string(124, '*'))}));
  add(cases,
      closed("7.5.1", {closeFrame(1000, "\xce\xba\xed\xa0\x80")}, {}, CloseCode::InvalidPayload));
  // 7.7, 7.9 and 7.13: each code that is in the registry or for applications, and each other one.
  for (int code = 0; code <= 5010; ++code) {
    const bool isRegistered = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
    const bool isValid = isRegistered || (code >= 3000 && code <= 4999);
    const CloseCode answer = isValid ? static_cast<CloseCode>(code) : CloseCode::ProtocolError;
    cases.push_back(closed(fmt::format("7.7 with {}", code), {closeFrame(code)}, {}, answer));
  }
  cases.push_back(failed("7.13.2", {closeFrame(65535)}));
  return cases;
}

EchoCases longMessageCases() {
  EchoCases cases;
  for (const int opcode : {1, 2}) {
    for (const std::size_t bytes : {64 * kKiB, 256 * kKiB, kMiB, 4 * kMiB, 8 * kMiB, 16 * kMiB}) {
      const std::string payload = payloadOf(opcode, bytes);
      cases.push_back(answered(fmt::format("9.{} of {} bytes", opcode, bytes),
                               {frame(0x80 | opcode, payload)}, {messageOf(opcode, payload)}));
    }
    const std::string payload = payloadOf(opcode, 4 * kMiB);
    for (std::size_t bytes = 64; bytes <= 4 * kMiB; bytes *= 4) {
      cases.push_back(answered(fmt::format("9.{} in fragments of {} bytes", opcode + 2, bytes),
                               fragments(opcode, payload, bytes), {messageOf(opcode, payload)}));
    }
    const std::string shorter = payloadOf(opcode, kMiB);
    for (std::size_t bytes = 64; bytes <= 2 * kKiB; bytes *= 2) {
      cases.push_back(answered(fmt::format("9.{} in chops of {} bytes", opcode + 4, bytes),
                               chops(frame(0x80 | opcode, shorter), bytes),
                               {messageOf(opcode, shorter)}));
    }
  }
  return cases;
}

}  // namespace stormo::integration

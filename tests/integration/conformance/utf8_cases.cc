// Section 6: text messages whose payload is UTF-8 (RFC 3629), or is not.
#include <fmt/format.h>

#include <cstdint>

#include "integration/conformance/echo_case.h"

namespace stormo::integration {
namespace {

using test::textFrame;
using test::WebSocketClient;

/// The code point in that many bytes, also if UTF-8 has another length for it, or none.
std::string encoded(std::uint32_t codePoint, int bytes) {
  if (bytes == 1) return {static_cast<char>(codePoint)};
  std::string out(static_cast<std::size_t>(bytes), '\0');
  for (std::size_t i = out.size() - 1; i > 0; --i) {
    out[i] = static_cast<char>(0x80 | (codePoint & 0x3f));
    codePoint >>= 6;
  }
  out[0] = static_cast<char>((0xff00U >> bytes) | codePoint);
  return out;
}

std::string encoded(std::uint32_t codePoint) {
  const int bytes = codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
  return encoded(codePoint, bytes);
}

const std::string kGreek = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5";  // of 2 and 3 bytes

/// 6.5 to 6.23, the valid ones.
std::vector<std::string> validTexts() {
  std::vector<std::string> texts = {"hello$world", kGreek, "hello" + encoded(0x24b62) + "world"};
  for (const std::size_t prefix : {2, 5, 7, 9}) texts.push_back(kGreek.substr(0, prefix));
  // The first and last of each length, those beside the surrogates, and specials.
  for (const std::uint32_t codePoint :
       {0x0U, 0x7fU, 0x80U, 0xa2U, 0x7ffU, 0x800U, 0x20acU, 0xd7ffU, 0xe000U, 0xfff9U, 0xfffaU,
        0xfffbU, 0xfffcU, 0xfffdU, 0x10000U, 0x10ffffU}) {
    texts.push_back(encoded(codePoint));
  }
  for (std::uint32_t plane = 0; plane <= 0x10; ++plane) {  // no characters, but valid
    texts.push_back(encoded(plane << 16 | 0xfffe));
    texts.push_back(encoded(plane << 16 | 0xffff));
  }
  return texts;
}

/// 6.5 to 6.23, the invalid ones.
std::vector<std::string> invalidTexts() {
  std::vector<std::string> texts = {"\xfe", "\xff", "\xfe\xfe\xff\xff"};
  for (const std::size_t prefix : {1, 3, 4, 6, 8, 10}) texts.push_back(kGreek.substr(0, prefix));
  std::string continuations;
  for (int byte = 0x80; byte <= 0xbf; ++byte) {  // 6.12
    texts.push_back(continuations += static_cast<char>(byte));
  }
  std::string starts;
  std::string incomplete;
  for (int byte = 0xc0; byte <= 0xfd; ++byte) {  // 6.13 to 6.15
    texts.push_back({static_cast<char>(byte), ' '});
    starts += texts.back();
    const int bytes = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : byte < 0xf8 ? 4 : byte < 0xfc ? 5 : 6;
    std::string cut(1, static_cast<char>(byte));
    cut.append(static_cast<std::size_t>(bytes - 2), '\xbf');
    texts.push_back(cut);
    incomplete += cut;
  }
  texts.push_back(starts);
  texts.push_back(incomplete);
  // 6.17 to 6.19: longer than necessary. 6.7, 6.9: beyond U+10FFFF.
  const std::uint32_t most[] = {0x7f, 0x7ff, 0xffff, 0x1fffff, 0x3ffffff, 0x7fffffff};
  for (int bytes = 2; bytes <= 6; ++bytes) {
    const std::uint32_t ofLess = most[bytes - 2];
    for (const std::uint32_t codePoint : {0x0U, 0x2fU, ofLess}) {
      texts.push_back(encoded(codePoint, bytes));
    }
    if (bytes >= 5) texts.push_back(encoded(ofLess + 1, bytes));
    if (bytes >= 4) texts.push_back(encoded(most[bytes - 1], bytes));
  }
  texts.push_back(encoded(0x110000));
  for (const std::uint32_t high : {0xd800U, 0xdb7fU, 0xdb80U, 0xdbffU}) {  // 6.20, 6.21
    texts.push_back(encoded(high));
    for (const std::uint32_t low : {0xdc00U, 0xdf80U, 0xdfffU}) {
      texts.push_back(encoded(low));
      texts.push_back(encoded(high) + encoded(low));
    }
  }
  return texts;
}

}  // namespace

EchoCases utf8Cases() {
  EchoCases cases;
  const auto frame = WebSocketClient::frame;
  // 6.1: empty fragments.
  cases.push_back(answered("6.1.1", {frame(0x81, "")}, {textFrame("")}));
  cases.push_back(
      answered("6.1.2", {frame(0x01, ""), frame(0x00, ""), frame(0x80, "")}, {textFrame("")}));
  cases.push_back(answered("6.1.3", {frame(0x01, ""), frame(0x00, "middle"), frame(0x80, "")},
                           {textFrame("middle")}));

  // 6.2, 6.5 to 6.23: in one frame, in fragments of a byte, and in chops of a byte.
  for (const std::string& each : validTexts()) {
    const std::string name = fmt::format("6, valid: {:02x}", fmt::join(each, " "));
    cases.push_back(answered(name, {frame(0x81, each)}, {textFrame(each)}));
    cases.push_back(answered(name + " in fragments", fragments(1, each, 1), {textFrame(each)}));
    cases.push_back(answered(name + " chopped", chops(frame(0x81, each)), {textFrame(each)}));
  }
  for (const std::string& each : invalidTexts()) {
    const std::string name = fmt::format("6, invalid: {:02x}", fmt::join(each, " "));
    const auto invalid = [&](const char* how, std::vector<std::string> writes) {
      return failed(name + how, std::move(writes), {}, CloseCode::InvalidPayload);
    };
    cases.push_back(invalid("", {frame(0x81, each)}));
    cases.push_back(invalid(" in fragments", fragments(1, each, 1)));
    cases.push_back(invalid(" chopped", chops(frame(0x81, each))));
    cases.push_back(invalid(" amid valid text", {frame(0x81, kGreek + each + "edited")}));
  }

  // 6.4: it fails before the message is complete, which it never is.
  for (const std::string& bad : {encoded(0x110000), encoded(0xd800)}) {
    const std::string name = fmt::format("6.4 with {:02x}", fmt::join(bad, " "));
    const std::string payload = kGreek + bad + "edited";
    const std::size_t decisive = kGreek.size() + 2;
    const std::string whole = frame(0x81, payload);
    const std::size_t headBytes = whole.size() - payload.size();
    cases.push_back(
        failed(name, {frame(0x01, kGreek), frame(0x00, bad)}, {}, CloseCode::InvalidPayload));
    cases.push_back(failed(name + ", within the frame",
                           chops(std::string_view(whole).substr(0, headBytes + decisive)), {},
                           CloseCode::InvalidPayload));
  }
  return cases;
}

}  // namespace stormo::integration

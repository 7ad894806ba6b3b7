#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace stormo {

enum class MessageType : std::uint8_t { Text, Binary };

/// One message, as a view: whoever makes it keeps the bytes, whoever is given it copies what it
/// keeps. Text and binary differ on the wire of WebSocket only; other protocols carry bytes.
struct Message {
  std::string_view data;
  MessageType type = MessageType::Text;

  constexpr Message(std::string_view text) : data(text) {}
  constexpr Message(const char* text) : data(text) {}
  Message(const std::string& text) : data(text) {}
  constexpr Message(std::string_view bytes, MessageType as) : data(bytes), type(as) {}

  [[nodiscard]] bool isBinary() const { return type == MessageType::Binary; }
  constexpr operator std::string_view() const { return data; }
};

/// The bytes as a binary message.
constexpr Message binary(std::string_view bytes) { return {bytes, MessageType::Binary}; }

}  // namespace stormo

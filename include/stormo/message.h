#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace stormo {

enum class MessageType : std::uint8_t { Text, Binary };

/// One message, as a view. Its maker keeps the bytes alive while the Message is used; a receiver
/// copies what it keeps: `std::string(message)`, `Value(message)`. A message that a handler gets is
/// valid until the handler returns. Only WebSocket distinguishes text from binary; other protocols
/// carry bytes.
///
///     if (message == "ping") connection.send("pong");
///     connection.send("you sent: " + message);
struct Message {
  std::string_view data;
  MessageType type = MessageType::Text;

  constexpr Message(std::string_view text) : data(text) {}
  constexpr Message(const char* text) : data(text) {}
  Message(const std::string& text) : data(text) {}
  constexpr Message(std::string_view bytes, MessageType as) : data(bytes), type(as) {}

  [[nodiscard]] bool isBinary() const { return type == MessageType::Binary; }
  constexpr operator std::string_view() const { return data; }

  /// Compares the bytes, whatever the type.
  friend constexpr bool operator==(const Message& message, std::string_view bytes) {
    return message.data == bytes;
  }
  /// Compares bytes and type. A template, so that nothing is converted to a Message for it.
  template <std::same_as<Message> Other>
  friend constexpr bool operator==(const Message& message, const Other& other) {
    return message.data == other.data && message.type == other.type;
  }
  friend std::string operator+(std::string left, const Message& right) {
    left.append(right.data);
    return left;
  }
  friend std::string operator+(const Message& left, std::string_view right) {
    return std::string(left.data).append(right);
  }
};

/// The bytes as a binary message, a view as well.
constexpr Message binary(std::string_view bytes) { return {bytes, MessageType::Binary}; }

}  // namespace stormo

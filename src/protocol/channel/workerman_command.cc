#include "protocol/channel/workerman_command.h"

#include <array>

#include "base/assert.h"
#include "protocol/package/frame.h"
#include "protocol/php/scanner.h"
#include "protocol/php/serialize.h"
#include "protocol/text/decimal.h"

namespace stormo::channel {
namespace {

/// The keys that a type of message has in addition to `type`.
enum class Shape { Bare, Channels, ChannelsAndData, ChannelAndData };

struct TypeName {
  std::string_view name;
  CommandType type;
  Shape shape;
};

constexpr std::array kTypeNames{
    TypeName{"publish", CommandType::Publish, Shape::ChannelsAndData},
    TypeName{"event", CommandType::Event, Shape::ChannelAndData},
    TypeName{"publishLoop", CommandType::PublishLoop, Shape::ChannelsAndData},
    TypeName{"subscribe", CommandType::Subscribe, Shape::Channels},
    TypeName{"unsubscribe", CommandType::Unsubscribe, Shape::Channels},
    TypeName{"watch", CommandType::Watch, Shape::Channels},
    TypeName{"unwatch", CommandType::Unwatch, Shape::Channels},
    TypeName{"enqueue", CommandType::Enqueue, Shape::ChannelsAndData},
    TypeName{"reserve", CommandType::Reserve, Shape::Bare},
    TypeName{"queue", CommandType::Queue, Shape::ChannelAndData},
};

const TypeName* findType(std::string_view name) {
  for (const TypeName& entry : kTypeNames) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

const TypeName& nameOf(CommandType type) {
  for (const TypeName& entry : kTypeNames) {
    if (entry.type == type) return entry;
  }
  assertionFailed("every type but Ping has a name", __FILE__, __LINE__);
}

/// The channel name in `token`: bytes, or an integer in canonical decimal.
bool readName(const php::Token& token, std::string_view& name) {
  if (token.type == php::Token::Type::Int) {
    // The name must be a view into the payload, so "+7" and "007" are rejected. PHP does not write
    // them.
    const std::string_view digits = token.text.substr(token.text.front() == '-' ? 1 : 0);
    if (token.text.front() == '+' || (digits.front() == '0' && token.text.size() > 1)) return false;
  } else if (token.type != php::Token::Type::String) {
    return false;
  }
  name = token.text;
  return isChannelName(name);
}

/// Reads the array of a message, its keys in any order.
class MessageReader {
 public:
  MessageReader(std::string_view payload, WorkermanCommand& out) : scanner_(payload), out_(out) {}

  bool read() {
    out_.reason = "not a serialized array";
    php::Token array;
    if (!scanner_.next(array) || array.type != php::Token::Type::ArrayStart) return false;
    for (std::size_t i = array.count; i > 0; --i) {
      php::Token key;
      if (!scanner_.nextKey(key)) return refuse("malformed array");
      if (!readField(key)) return false;
    }
    return scanner_.endArray() ? isComplete() : refuse("malformed array");
  }

  [[nodiscard]] std::size_t position() const { return scanner_.position(); }

 private:
  bool refuse(std::string_view reason) {
    out_.reason = reason;
    return false;
  }

  bool readField(const php::Token& key) {
    const bool named = key.type == php::Token::Type::String;
    if (named && key.text == "type") return readType();
    if (named && key.text == "channels") return readChannels() || refuse("malformed channels");
    if (named && key.text == "channel") return readChannel() || refuse("malformed channel");
    const php::Scanner::Mark start = scanner_.mark();
    if (!skipValue()) return refuse("malformed data, or more than the limits allow");
    return !named || key.text != "data" || takeData(start);
  }

  bool takeData(const php::Scanner::Mark& start) {
    data_ = scanner_.since(start.position);
    const auto references = scanner_.referencesSince(start);
    if (references.empty()) return true;
    constexpr std::string_view kOutside = "data with a reference to its outside";
    if (!scanner_.standsAlone(start)) return refuse(kOutside);
    out_.renumbered.clear();
    php::appendRenumbered(data_, start.position, references, start.values, 0, out_.renumbered);
    if (php::serializedLength(out_.renumbered) != out_.renumbered.size()) return refuse(kOutside);
    data_ = out_.renumbered;
    return true;
  }

  bool readType() {
    php::Token token;
    if (!scanner_.next(token) || token.type != php::Token::Type::String) {
      return refuse("malformed type");
    }
    type_ = findType(token.text);
    return type_ != nullptr || refuse("unknown type");
  }

  bool readChannel() {
    php::Token token;
    hasChannel_ = true;
    return scanner_.next(token) && readName(token, channel_);
  }

  bool readChannels() {
    php::Token token;
    std::string_view name;
    hasChannels_ = true;
    out_.channels.clear();
    if (!scanner_.next(token)) return false;
    if (token.type != php::Token::Type::ArrayStart) {
      if (!readName(token, name)) return false;
      out_.channels.push_back(name);
      return true;
    }
    if (token.count > elementsLeft_) return false;
    elementsLeft_ -= token.count;
    for (std::size_t i = token.count; i > 0; --i) {
      php::Token key, value;
      if (!scanner_.nextKey(key) || !scanner_.next(value) || !readName(value, name)) return false;
      out_.channels.push_back(name);
    }
    return scanner_.endArray();
  }

  bool skipValue() { return scanner_.skipValue(php::Limits{}.depthMax, elementsLeft_); }

  bool isComplete() {
    if (type_ == nullptr) return refuse("no type");
    out_.type = type_->type;
    const bool takesData =
        type_->shape == Shape::ChannelsAndData || type_->shape == Shape::ChannelAndData;
    if (takesData && data_.empty()) return refuse("no data");
    out_.data = takesData ? data_ : std::string_view();
    switch (type_->shape) {
      case Shape::Bare:
        out_.channels.clear();
        return true;
      case Shape::Channels:
      case Shape::ChannelsAndData:
        return hasChannels_ || refuse("no channels");
      case Shape::ChannelAndData:
        out_.channels.assign(1, channel_);
        return hasChannel_ || refuse("no channel");
    }
    return false;
  }

  php::Scanner scanner_;
  WorkermanCommand& out_;
  std::size_t elementsLeft_ = php::Limits{}.elementsMax;
  const TypeName* type_ = nullptr;
  bool hasChannel_ = false;
  bool hasChannels_ = false;
  std::string_view channel_;
  std::string_view data_;
};

void appendChannels(std::span<const std::string_view> channels, std::string& out) {
  out.append("s:8:\"channels\";a:");
  appendDecimal(channels.size(), out);
  out.append(":{");
  for (std::size_t i = 0; i < channels.size(); ++i) {
    out.append("i:");
    appendDecimal(i, out);
    out.push_back(';');
    php::serializeString(channels[i], out);
  }
  out.push_back('}');
}

/// The elements of the array: itself, its type, and its channels or channel. Those of `channels`
/// are extra.
constexpr std::size_t kValuesBeforeData = 3;

void appendData(std::string_view data, std::size_t valuesBefore, std::string& out) {
  out.append("s:4:\"data\";");
  php::appendPart(data, valuesBefore, out);
}

}  // namespace

Decode decodeWorkerman(std::string_view payload, WorkermanCommand& out) {
  out.channels.clear();
  out.data = {};
  out.type = CommandType::Ping;
  out.reason = {};
  if (payload.empty()) return Decode::Ok;
  MessageReader reader(payload, out);
  if (!reader.read()) return Decode::Invalid;
  const std::string_view rest = payload.substr(reader.position());
  if (rest.empty() || rest == "\n") return Decode::Ok;
  out.reason = "bytes after the array";
  return Decode::Invalid;
}

void encodeWorkerman(CommandType type, std::span<const std::string_view> channels,
                     std::string_view data, std::string& out) {
  if (type == CommandType::Ping) return;
  const TypeName& name = nameOf(type);
  constexpr std::string_view kCountOfKeys[] = {"a:1", "a:2", "a:3", "a:3"};
  out.append(kCountOfKeys[static_cast<std::size_t>(name.shape)]);
  out.append(":{s:4:\"type\";");
  php::serializeString(name.name, out);
  switch (name.shape) {
    case Shape::Bare:
      break;
    case Shape::Channels:
      appendChannels(channels, out);
      break;
    case Shape::ChannelsAndData:
      appendChannels(channels, out);
      appendData(data, kValuesBeforeData + channels.size(), out);
      break;
    case Shape::ChannelAndData:
      STORMO_ASSERT(channels.size() == 1);
      out.append("s:7:\"channel\";");
      php::serializeString(channels[0], out);
      appendData(data, kValuesBeforeData, out);
      break;
  }
  out.push_back('}');
}

void encodeWorkermanFrame(CommandType type, std::span<const std::string_view> channels,
                          std::string_view data, std::string& out) {
  const std::size_t start = out.size();
  out.append(kFrameHeaderBytes, '\0');
  encodeWorkerman(type, channels, data, out);
  encodeFrameHeader(out.size() - start - kFrameHeaderBytes, out.data() + start);
}

}  // namespace stormo::channel

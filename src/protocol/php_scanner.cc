#include "protocol/php_scanner.h"

#include <charconv>

namespace stormo::php {
namespace {

/// "i:0;N;", the shortest pair of a key and a value.
constexpr std::size_t kPairBytesMin = 6;

bool isDigit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

bool Scanner::takeDigits() {
  const std::size_t start = at_;
  while (at_ < in_.size() && isDigit(in_[at_])) ++at_;
  return at_ > start;
}

bool Scanner::takeCount(std::size_t& count) {
  const std::size_t start = at_;
  if (!takeDigits()) return false;
  const std::string_view digits = since(start);
  return std::from_chars(digits.begin(), digits.end(), count).ec == std::errc();
}

bool Scanner::readBool(Token& token) {
  if (at_ == in_.size() || (in_[at_] != '0' && in_[at_] != '1')) return false;
  token.type = Token::Type::Bool;
  token.boolean = in_[at_++] == '1';
  return take(';');
}

bool Scanner::readInt(Token& token) {
  token.type = Token::Type::Int;
  const std::size_t start = at_;
  if (!take('-')) (void)take('+');
  if (!takeDigits()) return false;
  token.text = since(start);
  const std::string_view number = token.text.substr(token.text.front() == '+' ? 1 : 0);
  // Beyond int64 PHP warns and reads something else; we refuse.
  if (std::from_chars(number.begin(), number.end(), token.integer).ec != std::errc()) return false;
  return take(';');
}

bool Scanner::takeNamedDouble(std::string_view name) {
  if (!in_.substr(at_).starts_with(name)) return false;
  at_ += name.size();
  return true;
}

bool Scanner::readDouble(Token& token) {
  token.type = Token::Type::Double;
  const std::size_t start = at_;
  if (!takeNamedDouble("NAN") && !takeNamedDouble("INF") && !takeNamedDouble("-INF")) {
    if (!take('-')) (void)take('+');
    const bool whole = takeDigits();
    const bool fraction = take('.') && takeDigits();
    if (!whole && !fraction) return false;
    if (take('E') || take('e')) {
      if (!take('-')) (void)take('+');
      if (!takeDigits()) return false;
    }
  }
  token.text = since(start);
  return take(';');
}

bool Scanner::readString(Token& token) {
  std::size_t bytes = 0;
  if (!takeCount(bytes) || !take(':') || !take('"')) return false;
  if (bytes > in_.size() - at_) return false;
  token.type = Token::Type::String;
  token.text = in_.substr(at_, bytes);
  at_ += bytes;
  return take('"') && take(';');
}

bool Scanner::readArrayStart(Token& token) {
  token.type = Token::Type::ArrayStart;
  if (!takeCount(token.count) || !take(':') || !take('{')) return false;
  return token.count <= (in_.size() - at_) / kPairBytesMin;
}

bool Scanner::next(Token& token) {
  if (in_.size() - at_ < 2) return false;
  const char type = in_[at_++];
  if (type == 'N') {
    token.type = Token::Type::Null;
    return take(';');
  }
  if (!take(':')) return false;
  switch (type) {
    case 'b':
      return readBool(token);
    case 'i':
      return readInt(token);
    case 'd':
      return readDouble(token);
    case 's':
      return readString(token);
    case 'a':
      return readArrayStart(token);
    default:
      return false;  // O, C, E, R, r: objects and references are not data
  }
}

bool Scanner::nextKey(Token& token) {
  return next(token) && (token.type == Token::Type::Int || token.type == Token::Type::String);
}

bool Scanner::skipValue(std::size_t depthMax, std::size_t& elementsLeft) {
  Token token;
  if (!next(token)) return false;
  if (token.type != Token::Type::ArrayStart) return true;
  if (depthMax == 0 || token.count > elementsLeft) return false;
  elementsLeft -= token.count;
  for (std::size_t i = token.count; i > 0; --i) {
    if (!nextKey(token) || !skipValue(depthMax - 1, elementsLeft)) return false;
  }
  return endArray();
}

}  // namespace stormo::php

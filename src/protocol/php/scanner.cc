#include "protocol/php/scanner.h"

#include <algorithm>
#include <charconv>

#include "protocol/text/decimal.h"

namespace stormo::php {
namespace {

/// "i:0;N;", the shortest pair of a key and a value.
constexpr std::size_t kPairBytesMin = 6;

bool isDigit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

void appendRenumbered(std::string_view text, std::size_t start,
                      std::span<const Reference> references, std::size_t before, std::size_t after,
                      std::string& out) {
  std::size_t done = start;
  for (const Reference& reference : references) {
    out.append(text.substr(done - start, reference.at - done));
    appendDecimal(reference.number - before + after, out);
    done = reference.at + reference.bytes;
  }
  out.append(text.substr(done - start));
}

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
  // For an integer beyond int64 PHP warns and reads another number; here it is rejected.
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

bool Scanner::readQuoted(std::string_view& text) {
  std::size_t bytes = 0;
  if (!takeCount(bytes) || !take(':') || !take('"')) return false;
  if (bytes > in_.size() - at_) return false;
  text = in_.substr(at_, bytes);
  at_ += bytes;
  return take('"');
}

bool Scanner::readString(Token& token) {
  token.type = Token::Type::String;
  return readQuoted(token.text) && take(';');
}

bool Scanner::readObjectStart(Token& token) {
  if (!readQuoted(token.text) || token.text.empty() || !take(':')) return false;
  if (!readPairsStart(token)) return false;
  token.type = Token::Type::ObjectStart;
  return true;
}

bool Scanner::readCustom(Token& token) {
  token.type = Token::Type::Custom;
  std::size_t bytes = 0;
  if (!readQuoted(token.text) || token.text.empty() || !take(':')) return false;
  if (!takeCount(bytes) || !take(':') || !take('{') || bytes > in_.size() - at_) return false;
  at_ += bytes;
  hiddenMax_ += bytes + 1;
  return take('}');
}

bool Scanner::readEnum(Token& token) {
  token.type = Token::Type::Enum;
  return readQuoted(token.text) && token.text.find(':') != token.text.npos && take(';');
}

bool Scanner::readReference(Token& token) {
  token.type = Token::Type::Reference;
  Reference reference{.at = at_};
  if (!takeCount(reference.number)) return false;
  token.text = since(reference.at);
  reference.bytes = token.text.size();
  if (reference.number == 0 || reference.number > values_ + hiddenMax_) return false;
  references_.push_back(reference);
  return take(';');
}

bool Scanner::standsAlone(const Mark& since) const {
  return std::ranges::all_of(referencesSince(since), [&](const Reference& reference) {
    return reference.number > since.values;
  });
}

bool Scanner::readPairsStart(Token& token) {
  token.type = Token::Type::ArrayStart;
  if (!takeCount(token.count) || !take(':') || !take('{')) return false;
  return token.count <= (in_.size() - at_) / kPairBytesMin;
}

bool Scanner::next(Token& token) {
  if (in_.size() - at_ < 2) return false;
  const char type = in_[at_++];
  if (type == 'N') {
    token.type = Token::Type::Null;
    ++values_;
    return take(';');
  }
  if (!take(':')) return false;
  if (type == 'R' || type == 'r') {
    const bool isRead = readReference(token);
    if (type == 'r') ++values_;
    return isRead;
  }
  ++values_;
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
      return readPairsStart(token);
    case 'O':
      return readObjectStart(token);
    case 'C':
      return readCustom(token);
    case 'E':
      return readEnum(token);
    default:
      return false;
  }
}

bool Scanner::nextKey(Token& token) {
  const std::size_t values = values_;
  if (!next(token)) return false;
  values_ = values;
  return token.type == Token::Type::Int || token.type == Token::Type::String;
}

bool Scanner::skipValue(std::size_t depthMax, std::size_t& elementsLeft) {
  Token first;
  return next(first) && skipRest(first, depthMax, elementsLeft);
}

bool Scanner::skipRest(const Token& first, std::size_t depthMax, std::size_t& elementsLeft) {
  const bool hasPairs =
      first.type == Token::Type::ArrayStart || first.type == Token::Type::ObjectStart;
  if (!hasPairs) return true;
  if (depthMax == 0 || first.count > elementsLeft) return false;
  elementsLeft -= first.count;
  Token token;
  for (std::size_t i = first.count; i > 0; --i) {
    if (!nextKey(token) || !skipValue(depthMax - 1, elementsLeft)) return false;
  }
  return endArray();
}

}  // namespace stormo::php

#pragma once

#include <string>
#include <system_error>
#include <utility>
#include <variant>

namespace stormo {

/// What the operating system refused, and the step that it refused.
struct Error {
  std::error_code code;
  const char* step = "";  ///< A string literal: "bind", "connect".

  /// For people: "bind: address already in use".
  [[nodiscard]] std::string message() const;
};

/// A T, or the Error why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : outcome_(std::move(value)) {}
  Result(Error error) : outcome_(error) {}

  [[nodiscard]] bool ok() const { return outcome_.index() == 0; }
  explicit operator bool() const { return ok(); }

  /// Must be ok().
  T& value() { return std::get<0>(outcome_); }
  const T& value() const { return std::get<0>(outcome_); }
  T& operator*() { return value(); }
  T* operator->() { return &value(); }

  /// Must not be ok().
  [[nodiscard]] const Error& error() const { return std::get<1>(outcome_); }

 private:
  std::variant<T, Error> outcome_;
};

/// For steps that yield nothing but success.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(error), ok_(false) {}

  [[nodiscard]] bool ok() const { return ok_; }
  explicit operator bool() const { return ok_; }
  [[nodiscard]] const Error& error() const { return error_; }

 private:
  Error error_;
  bool ok_ = true;
};

}  // namespace stormo

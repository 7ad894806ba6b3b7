#pragma once

#include <string>
#include <system_error>
#include <utility>
#include <variant>

namespace stormo {

/// A system call that failed. Copyable; refers to nothing but literals.
struct Error {
  std::error_code code;
  const char* step = "";  ///< The failed step, a string literal: "bind", "connect".

  /// The text of the error: "bind: address already in use".
  [[nodiscard]] std::string message() const;
};

/// A value, or the Error that prevented it.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : outcome_(std::move(value)) {}
  Result(Error error) : outcome_(error) {}

  [[nodiscard]] bool ok() const { return outcome_.index() == 0; }
  explicit operator bool() const { return ok(); }

  /// The value. The Result must be ok(), else std::bad_variant_access is thrown.
  T& value() { return std::get<0>(outcome_); }
  const T& value() const { return std::get<0>(outcome_); }
  T& operator*() { return value(); }
  T* operator->() { return &value(); }

  /// The error. The Result must not be ok(), else std::bad_variant_access is thrown.
  [[nodiscard]] const Error& error() const { return std::get<1>(outcome_); }

 private:
  std::variant<T, Error> outcome_;
};

/// For steps without a value. error() is meaningful only if it is not ok().
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

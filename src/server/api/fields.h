#pragma once

#include <stormo/audience.h>
#include <stormo/value.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/api/problem.h"

namespace stormo::server::api {

/// Reads the fields of one JSON object, and notes the first thing that is wrong with them. After
/// that all functions return empty values. A field that nothing has read is wrong, too: finish().
class Fields {
 public:
  /// `place` stands before the names of fields in a Problem: "commands[2]." The object must outlive
  /// this.
  Fields(const Value& object, std::string place);

  [[nodiscard]] bool has(std::string_view name);
  /// A string of at most `bytesMax` bytes. Nothing if it is missing.
  std::optional<std::string> text(std::string_view name, std::size_t bytesMax);
  /// The name of a group. Empty if it is missing: that is wrong.
  std::string group(std::string_view name);
  /// A whole number within these limits. Nothing if it is missing.
  std::optional<std::int64_t> number(std::string_view name, std::int64_t min, std::int64_t max);
  /// True, or missing: false is wrong.
  bool isTrue(std::string_view name);
  /// The element itself, of any type. Null if it is missing.
  const Value& any(std::string_view name);
  /// The groups of a list of 1 to `max` different names.
  std::vector<Audience> groups(std::string_view name, std::size_t max);
  /// What `user` or `client` names; nothing if it is missing.
  std::optional<Audience> user(std::string_view name);
  std::optional<Audience> client(std::string_view name);
  /// "user", "client" or "all": exactly one.
  std::optional<Audience> clients();

  /// Notes a problem with a field, or without a name with the object.
  void refuse(std::string_view name, std::string message);
  /// Refuses fields that nothing has read. The problem, if there is one.
  std::optional<Problem> finish();
  [[nodiscard]] bool isOk() const { return !problem_; }

 private:
  /// `what`: the sentence's end for a value that `make` refuses.
  std::optional<Audience> named(std::string_view name, Audience (*make)(std::string_view),
                                std::string_view what);

  const Value& object_;
  const std::string place_;
  std::vector<std::string_view> known_;
  std::optional<Problem> problem_;
};

}  // namespace stormo::server::api

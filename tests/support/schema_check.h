#pragma once

#include <algorithm>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>

namespace stormo::test {

/// Checks values by the schemas of an OpenAPI 3.1 document: the keywords of JSON Schema that
/// docs/openapi.json uses. An unknown keyword is a complaint, so none is ignored.
class SchemaCheck {
 public:
  using Json = nlohmann::json;

  explicit SchemaCheck(const Json& document) : document_(document) {}

  /// The target of a "$ref", or the object itself.
  [[nodiscard]] const Json& resolved(const Json& object) const {
    if (!object.contains("$ref")) return object;
    const auto reference = object.at("$ref").get<std::string>();
    return resolved(document_.at(Json::json_pointer(reference.substr(1))));
  }

  /// What of the value is not as the schema states. Empty: nothing.
  [[nodiscard]] std::string complaint(const Json& of, const Json& value) const {
    const Json& schema = resolved(of);
    for (const auto& [keyword, rule] : schema.items()) {
      std::string wrong = complaintOf(schema, keyword, rule, value);
      if (!wrong.empty()) return wrong;
    }
    return {};
  }

 private:
  static bool isOfType(const std::string& type, const Json& value) {
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "integer") return value.is_number_integer();
    if (type == "boolean") return value.is_boolean();
    return type == "null" && value.is_null();
  }

  static std::string otherwise(bool isRight, const std::string& what, const Json& value) {
    return isRight ? std::string() : value.dump() + " is not " + what;
  }

  std::string complaintOf(const Json& schema, const std::string& keyword, const Json& rule,
                          const Json& value) const {
    const std::string what = keyword + ' ' + rule.dump();
    if (keyword == "description" || keyword == "default") return {};
    if (keyword == "type") {
      bool isRight = false;
      for (const Json& type : rule.is_array() ? rule : Json::array({rule})) {
        isRight = isRight || isOfType(type, value);
      }
      return otherwise(isRight, what, value);
    }
    if (keyword == "const") return otherwise(value == rule, what, value);
    if (keyword == "enum") {
      return otherwise(std::find(rule.begin(), rule.end(), value) != rule.end(), what, value);
    }
    if (keyword == "oneOf") {
      std::size_t fitting = 0;
      for (const Json& each : rule) fitting += complaint(each, value).empty() ? 1 : 0;
      return otherwise(fitting == 1, what, value);
    }
    if (value.is_string()) {
      const auto text = value.get<std::string>();
      if (keyword == "minLength") return otherwise(text.size() >= rule, what, value);
      if (keyword == "maxLength") return otherwise(text.size() <= rule, what, value);
      if (keyword == "pattern") {
        return otherwise(std::regex_search(text, std::regex(rule.get<std::string>())), what, value);
      }
    }
    if (value.is_number()) {
      if (keyword == "minimum") return otherwise(value >= rule, what, value);
      if (keyword == "maximum") return otherwise(value <= rule, what, value);
    }
    if (value.is_array()) {
      if (keyword == "minItems") return otherwise(value.size() >= rule, what, value);
      if (keyword == "maxItems") return otherwise(value.size() <= rule, what, value);
      if (keyword == "items") return complaintOfElements(rule, value);
    }
    if (value.is_object()) {
      if (keyword == "required") {
        for (const Json& name : rule) {
          if (!value.contains(name)) return value.dump() + " lacks " + name.dump();
        }
        return {};
      }
      if (keyword == "properties") return complaintOfMembers(rule, value);
      if (keyword == "additionalProperties") {
        for (const auto& [name, element] : value.items()) {
          if (!schema.at("properties").contains(name)) return "unknown member " + name;
        }
        return {};
      }
    }
    return "unknown keyword " + keyword + " for " + value.dump();
  }

  std::string complaintOfElements(const Json& schema, const Json& list) const {
    for (const Json& element : list) {
      std::string wrong = complaint(schema, element);
      if (!wrong.empty()) return wrong;
    }
    return {};
  }

  std::string complaintOfMembers(const Json& schemas, const Json& object) const {
    for (const auto& [name, schema] : schemas.items()) {
      if (!object.contains(name)) continue;
      std::string wrong = complaint(schema, object.at(name));
      if (!wrong.empty()) return name + ": " + wrong;
    }
    return {};
  }

  const Json& document_;
};

}  // namespace stormo::test

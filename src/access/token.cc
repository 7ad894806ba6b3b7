#include "access/token.h"

#include <stormo/audience.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <initializer_list>
#include <stdexcept>
#include <utility>

#include "protocol/json/fields.h"
#include "protocol/json/scanner.h"

namespace stormo::access {
namespace {

// Far beyond every date, and a whole number in a double.
constexpr double kSecondsMax = 1e15;

const std::initializer_list<std::string_view> kNames = {"sub", "jti", "iss",  "aud",    "exp",
                                                        "nbf", "iat", "info", "groups", "rights"};

/// Thrown inside this file.
struct WrongClaim {
  std::string_view name;
};

/// The claims that are read, one after another.
class Claims {
 public:
  /// In the order of kNames.
  enum Claim : std::size_t { Sub, Jti, Iss, Aud, Exp, Nbf, Iat, Info, Groups, Rights };

  explicit Claims(std::string_view json) {
    if (fields_.read(json) != JsonFields::Verdict::Ok) throw WrongClaim{};
  }

  std::string text(Claim claim) {
    if (!fields_.has(claim)) return {};
    return std::string(demand(claim, fields_.string(claim)));
  }
  /// A string, or the text of an integer.
  std::string name(Claim claim) {
    if (!fields_.has(claim)) return {};
    return std::string(demand(claim, fields_.name(claim)));
  }
  std::optional<UnixSeconds> date(Claim claim) {
    if (!fields_.has(claim)) return std::nullopt;
    const std::string_view text = isString(claim) ? std::string_view() : fields_.text(claim);
    double seconds = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    const bool isNumber = error == std::errc() && end == text.data() + text.size();
    demandThat(claim, isNumber && std::abs(seconds) <= kSecondsMax);
    return static_cast<UnixSeconds>(std::floor(seconds));
  }
  /// The JSON text; empty if there is none.
  std::string_view json(Claim claim, JsonScanner::Kind kind) {
    if (!fields_.has(claim)) return {};
    demandThat(claim, !isString(claim));
    const std::string_view text = fields_.text(claim);
    demandThat(claim, JsonScanner(text).next() == kind);
    return text;
  }
  std::vector<std::string> names(Claim claim) {
    const std::string_view list = json(claim, JsonScanner::Kind::Array);
    std::vector<std::string> names;
    if (list.empty()) return names;
    JsonScanner scanner(list);
    std::string buffer;
    scanner.array([&] {
      switch (scanner.next()) {
        case JsonScanner::Kind::String:
          names.emplace_back(scanner.string().text(buffer));
          break;
        case JsonScanner::Kind::Number:
          names.emplace_back(scanner.number());
          demandThat(claim, names.back().find_first_of(".eE") == std::string::npos);
          break;
        default:
          throw WrongClaim{nameOf(claim)};
      }
    });
    return names;
  }
  [[nodiscard]] bool isString(Claim claim) { return fields_.string(claim).has_value(); }

  static void demandThat(Claim claim, bool isRight) {
    if (!isRight) throw WrongClaim{nameOf(claim)};
  }

 private:
  static std::string_view nameOf(Claim claim) { return kNames.begin()[claim]; }
  static std::string_view demand(Claim claim, std::optional<std::string_view> text) {
    demandThat(claim, text.has_value());
    return *text;
  }

  JsonFields fields_{kNames};
};

std::uint8_t mayOf(std::string_view list) {
  JsonScanner scanner(list);
  std::uint8_t may = 0;
  std::string buffer;
  Claims::demandThat(Claims::Rights, scanner.next() == JsonScanner::Kind::Array);
  scanner.array([&] {
    Claims::demandThat(Claims::Rights, scanner.next() == JsonScanner::Kind::String);
    const std::uint8_t named = mayNamed(scanner.string().text(buffer));
    Claims::demandThat(Claims::Rights, named != 0);
    may |= named;
  });
  return may;
}

Rights rightsOf(std::string_view list, std::string_view user) {
  Rights rights;
  if (list.empty()) return rights;
  JsonScanner scanner(list);
  JsonFields members{"groups", "may"};
  scanner.array([&] {
    const bool isObject = members.read(scanner.skip()) == JsonFields::Verdict::Ok;
    const auto pattern = isObject ? members.string(0) : std::nullopt;
    Claims::demandThat(Claims::Rights, pattern.has_value());
    const bool isList = members.has(1) && !members.string(1);
    Claims::demandThat(Claims::Rights, isList || !members.has(1));
    rights.grant(*pattern, isList ? mayOf(members.text(1)) : kMayAll, user);
  });
  return rights;
}

bool isGroupName(const std::string& name) { return !isReservedName(name); }

bool isControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

}  // namespace

std::optional<Token> readClaims(std::string_view json, std::string& wrong) {
  try {
    Claims claims(json);
    Token token;
    token.user = claims.name(Claims::Sub);
    const bool isName = !token.user.empty() && token.user.size() <= Audience::kUserBytesMax &&
                        std::ranges::none_of(token.user, isControl);
    Claims::demandThat(Claims::Sub, isName);
    token.id = claims.text(Claims::Jti);
    token.issuer = claims.text(Claims::Iss);
    if (claims.isString(Claims::Aud)) {
      token.audience = {claims.text(Claims::Aud)};
    } else {
      token.audience = claims.names(Claims::Aud);
    }
    token.expires = claims.date(Claims::Exp);
    token.notBefore = claims.date(Claims::Nbf);
    token.issued = claims.date(Claims::Iat);
    token.info = claims.json(Claims::Info, JsonScanner::Kind::Object);
    token.groups = claims.names(Claims::Groups);
    Claims::demandThat(Claims::Groups, std::ranges::all_of(token.groups, isGroupName));
    token.rights = rightsOf(claims.json(Claims::Rights, JsonScanner::Kind::Array), token.user);
    return token;
  } catch (const WrongClaim& claim) {
    wrong = claim.name;
    return std::nullopt;
  }
}

}  // namespace stormo::access

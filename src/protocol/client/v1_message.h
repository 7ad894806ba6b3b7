#pragma once

#include <stormo/channel/messages.h>
#include <stormo/message.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

/// The messages of a server in the subprotocol stormo.v1 (docs/v1-protocol.md). Each function
/// appends one JSON object.
namespace stormo::v1 {

/// The number of hexadecimal digits of an epoch or a session.
inline constexpr std::size_t kHexDigits = 16;

/// {"id":3,"ok":true}
void appendOk(std::uint64_t id, std::string& out);
/// {"id":1,"ok":true,"epoch":"5f3a90c1e07b2d46","offset":41}, with "recovered" if the request had a
/// position.
void appendJoined(std::uint64_t id, Position position, std::optional<bool> recovered,
                  std::string& out);
/// {"id":3,"ok":false,"error":{"code":"…","message":"…"}}; an id of zero is written as null.
void appendError(std::uint64_t id, std::string_view code, std::string_view message,
                 std::string& out);
// `name` is that of an audience in the Channel (see Audience): a group is written as "group":"123",
// others as "to":"user", "to":"client" or "to":"all".

/// {"event":"message","group":"123","offset":42,"message":"text"}. A binary message has "binary"
/// instead, in base64 (RFC 4648 4).
void appendMessage(std::string_view name, std::uint64_t offset, Message message, std::string& out);
/// {"event":"missed","group":"123","count":17}
void appendMissed(std::string_view name, std::uint64_t count, std::string& out);

// What the backend has done:

/// {"event":"joined","group":"123","epoch":"5f3a90c1e07b2d46","offset":41}, with
/// "recovered":false if messages to the group since the backend's command may be missing.
void appendJoinedByBackend(std::string_view group, Position position, bool isWhole,
                           std::string& out);
/// {"event":"left","group":"123"}
void appendLeftByBackend(std::string_view group, std::string& out);
/// {"event":"info","info":{…}}; an empty `info` is written as null.
void appendInfo(std::string_view info, std::string& out);

/// What a server sends to a client about the client's token.
struct Admission {
  std::string_view client;  ///< Its id.
  std::string_view user;
  std::span<const std::string> groups;  ///< Those that the client is to join.
  std::optional<std::int64_t> expires;  ///< Seconds since 1970.
};
/// {"event":"welcome","client":"…","user":"ada","groups":["news"],"expires":1700003600}, without
/// "expires" if the token does not expire.
void appendWelcome(const Admission& admission, std::string& out);
/// {"id":7,"ok":true,"client":"…","user":"ada","groups":["news"],"expires":1700003600}, as above.
void appendRefreshed(std::uint64_t id, const Admission& admission, std::string& out);
/// {"id":8,"ok":true,"client":"…","user":"ada"}, without "user" if it is empty.
void appendWhoAmI(std::uint64_t id, std::string_view client, std::string_view user,
                  std::string& out);
/// {"event":"expiring","seconds":60}
void appendExpiring(std::chrono::seconds left, std::string& out);

}  // namespace stormo::v1

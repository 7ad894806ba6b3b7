#include "protocol/client/v1_message.h"

#include <stormo/audience.h>

#include <charconv>
#include <iterator>

#include "protocol/json/text.h"
#include "protocol/text/base64.h"
#include "protocol/text/decimal.h"

namespace stormo::v1 {
namespace {

void appendHex(std::uint64_t number, std::string& out) {
  char text[kHexDigits];
  const char* const end = std::to_chars(text, std::end(text), number, 16).ptr;
  const auto digits = static_cast<std::size_t>(end - text);
  out.push_back('"');
  out.append(kHexDigits - digits, '0').append(text, digits);
  out.push_back('"');
}

void appendWhere(Position position, std::string& out) {
  out.append(",\"epoch\":");
  appendHex(position.epoch, out);
  out.append(",\"offset\":");
  appendDecimal(position.offset, out);
}

/// ,"group":"123" or ,"to":"user"
void appendAudience(std::string_view name, std::string& out) {
  if (!isReservedName(name)) {
    out.append(",\"group\":");
    return appendJsonString(name, out);
  }
  const auto audience = Audience::ofName(name);
  out.append(",\"to\":\"");
  if (audience && audience->kind() == Audience::Kind::User) {
    out.append("user");
  } else if (audience && audience->kind() == Audience::Kind::Client) {
    out.append("client");
  } else {
    out.append("all");
  }
  out.push_back('"');
}

void appendAdmission(const Admission& admission, std::string& out) {
  out.append(",\"client\":");
  appendJsonString(admission.client, out);
  out.append(",\"user\":");
  appendJsonString(admission.user, out);
  out.append(",\"groups\":[");
  for (const std::string& group : admission.groups) {
    if (&group != admission.groups.data()) out.push_back(',');
    appendJsonString(group, out);
  }
  out.push_back(']');
  if (admission.expires) out.append(",\"expires\":").append(std::to_string(*admission.expires));
  out.push_back('}');
}

}  // namespace

void appendOk(std::uint64_t id, std::string& out) {
  out.append("{\"id\":");
  appendDecimal(id, out);
  out.append(",\"ok\":true}");
}

void appendJoined(std::uint64_t id, Position position, std::optional<bool> recovered,
                  std::string& out) {
  appendOk(id, out);
  out.pop_back();
  appendWhere(position, out);
  if (recovered) out.append(*recovered ? ",\"recovered\":true" : ",\"recovered\":false");
  out.push_back('}');
}

void appendError(std::uint64_t id, std::string_view code, std::string_view message,
                 std::string& out) {
  out.append("{\"id\":");
  if (id != 0) {
    appendDecimal(id, out);
  } else {
    out.append("null");
  }
  out.append(",\"ok\":false,\"error\":{\"code\":");
  appendJsonString(code, out);
  out.append(",\"message\":");
  appendJsonString(message, out);
  out.append("}}");
}

void appendMessage(std::string_view name, std::uint64_t offset, Message message, std::string& out) {
  out.append("{\"event\":\"message\"");
  appendAudience(name, out);
  out.append(",\"offset\":");
  appendDecimal(offset, out);
  if (message.isBinary()) {
    out.append(",\"binary\":\"");
    appendBase64(message.data, out);
    out.append("\"}");
  } else {
    out.append(",\"message\":");
    appendJsonString(message.data, out);
    out.push_back('}');
  }
}

void appendMissed(std::string_view name, std::uint64_t count, std::string& out) {
  out.append("{\"event\":\"missed\"");
  appendAudience(name, out);
  out.append(",\"count\":");
  appendDecimal(count, out);
  out.push_back('}');
}

void appendJoinedByBackend(std::string_view group, Position position, bool isWhole,
                           std::string& out) {
  out.append("{\"event\":\"joined\"");
  appendAudience(group, out);
  appendWhere(position, out);
  out.append(isWhole ? "}" : ",\"recovered\":false}");
}

void appendLeftByBackend(std::string_view group, std::string& out) {
  out.append("{\"event\":\"left\"");
  appendAudience(group, out);
  out.push_back('}');
}

void appendInfo(std::string_view info, std::string& out) {
  out.append("{\"event\":\"info\",\"info\":").append(info.empty() ? "null" : info);
  out.push_back('}');
}

void appendWelcome(const Admission& admission, std::string& out) {
  out.append("{\"event\":\"welcome\"");
  appendAdmission(admission, out);
}

void appendRefreshed(std::uint64_t id, const Admission& admission, std::string& out) {
  appendOk(id, out);
  out.pop_back();
  appendAdmission(admission, out);
}

void appendWhoAmI(std::uint64_t id, std::string_view client, std::string_view user,
                  std::string& out) {
  appendOk(id, out);
  out.pop_back();
  out.append(",\"client\":");
  appendJsonString(client, out);
  if (!user.empty()) {
    out.append(",\"user\":");
    appendJsonString(user, out);
  }
  out.push_back('}');
}

void appendExpiring(std::chrono::seconds left, std::string& out) {
  out.append("{\"event\":\"expiring\",\"seconds\":");
  out.append(std::to_string(left.count())).push_back('}');
}

}  // namespace stormo::v1

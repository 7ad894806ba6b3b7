#include <stormo/http.h>

#include "net/codec/http_exchange.h"
#include "protocol/http/server_sent_event.h"

namespace stormo {

using net::HttpExchange;

bool PendingResponse::isOpen() const {
  return HttpExchange::find(connection_, request_).has_value();
}

bool PendingResponse::setStatus(int status) const {
  auto exchange = HttpExchange::find(connection_, request_);
  return exchange && exchange->setStatus(status);
}

bool PendingResponse::addHeader(std::string_view name, std::string_view value) const {
  auto exchange = HttpExchange::find(connection_, request_);
  return exchange && exchange->addHeader(name, value);
}

SendStatus PendingResponse::write(std::string_view part) const {
  auto exchange = HttpExchange::find(connection_, request_);
  return exchange ? exchange->write(part) : SendStatus::Closed;
}

bool PendingResponse::end(std::string_view last) const {
  auto exchange = HttpExchange::find(connection_, request_);
  if (exchange) exchange->end(last);
  return exchange.has_value();
}

bool PendingResponse::answer(int status, std::string_view body) const {
  auto exchange = HttpExchange::find(connection_, request_);
  if (!exchange || !exchange->setStatus(status)) return false;
  exchange->end(body);
  return true;
}

bool PendingResponse::answer(int status, std::string_view body,
                             std::string_view contentType) const {
  auto exchange = HttpExchange::find(connection_, request_);
  if (!exchange || !exchange->setStatus(status)) return false;
  exchange->addHeader("Content-Type", contentType);
  exchange->end(body);
  return true;
}

SendStatus EventStream::send(const ServerSentEvent& event) const {
  std::string text;
  appendServerSentEvent(event.data, event.event, event.id, event.retry, text);
  return response_.write(text);
}

SendStatus EventStream::comment(std::string_view text) const {
  std::string line;
  appendEventComment(text, line);
  return response_.write(line);
}

EventStream HttpResponse::events() {
  auto exchange = HttpExchange::find(pending_.connection(), pending_.request());
  if (exchange) exchange->beginEvents();
  isLater_ = true;
  return EventStream(pending_);
}

}  // namespace stormo

#include "process/rows_query.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "process/slot.h"

namespace stormo::process {
namespace {

Json slotFields(const Slot& slot) {
  return {{"pid", slot.pid()},
          {"kind", kindText(slot.role().kind)},
          {"name", slot.role().name},
          {"slot", slot.index()}};
}

}  // namespace

RowsQuery::RowsQuery(const char* kind) : kind_(kind) {}
RowsQuery::~RowsQuery() = default;

void RowsQuery::ask(const std::vector<Slot*>& slots, ControlServer::Reply reply) {
  replies_.push_back(std::move(reply));
  if (replies_.size() > 1) return;
  ++round_;
  answer_ = std::make_unique<Json>(Json{{kind_, Json::array()}, {"busy", Json::array()}});
  for (Slot* slot : slots) {
    if (!slot->hasChild()) continue;
    waitingFor_.insert(slot);
    slot->askRows(kind_, round_);  // false: an earlier answer is pending, and it is listed as busy
  }
  if (waitingFor_.empty()) return finish();
  deadline_ = Timer::once(kAnswerWithin, [this] { finish(); });
}

void RowsQuery::onReport(Slot& slot, const Json& report) {
  if (report.at("report") != kind_ || report.at("request") != round_) return;
  if (!waitingFor_.contains(&slot)) return;
  for (const Json& row : report.at("rows")) {
    Json entry = slotFields(slot);
    entry.update(row);
    answer_->at(kind_).push_back(std::move(entry));
  }
  if (report.at("last")) onEnded(slot);
}

void RowsQuery::onEnded(Slot& slot) {
  if (waitingFor_.erase(&slot) > 0 && waitingFor_.empty()) finish();
}

void RowsQuery::finish() {
  Timer::cancel(std::exchange(deadline_, 0));
  for (const Slot* slot : waitingFor_) answer_->at("busy").push_back(slotFields(*slot));
  waitingFor_.clear();
  for (const auto& reply : std::exchange(replies_, {})) reply(*answer_);
}

}  // namespace stormo::process

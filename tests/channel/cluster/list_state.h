#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "channel/log/log.h"
#include "channel/log/record.h"

namespace stormo::channel {

/// All records and nodes that are gone, in their order. Needs the last ones once more, as a replay
/// window does.
class ListState final : public LogState {
 public:
  [[nodiscard]] bool restore(StateReader& in) override {
    for (std::uint64_t left = in.number(); left > 0 && in.ok(); --left) {
      entries.emplace_back(in.bytes());
    }
    offset = in.number();
    epoch = in.number();
    return in.ok() && in.atEnd();
  }
  void reset() override {
    entries.clear();
    offset = nextRecall = 0;
    recalled.clear();
  }
  void begin(std::uint64_t next) override {
    if (epoch != next) recalled.clear();
    epoch = next;
  }
  void save(StateWriter& out) const override {
    out.number(entries.size());
    for (const std::string& entry : entries) out.bytes(entry);
    out.number(offset);
    out.number(epoch);
  }
  [[nodiscard]] std::uint64_t recallFrom() const override {
    return offset > kRecalled ? offset - kRecalled + 1 : 1;
  }
  void recall(std::uint64_t first, std::string_view records) override {
    if (nextRecall != 0 && first != nextRecall) error += "a hole in what is recalled\n";
    nextRecall = first + countRecords(records);
    for (; !records.empty(); records.remove_prefix(trustedRecordBytes(records)), ++first) {
      const std::string packet(trustedRecord(records).packet);
      recalled[first] = packet;
    }
  }
  void apply(std::uint64_t first, std::string_view records, NodeId /*from*/) override {
    if (first != offset + 1) error += "an offset is not the next one\n";
    for (; !records.empty(); records.remove_prefix(trustedRecordBytes(records))) {
      entries.emplace_back(trustedRecord(records).packet);
      ++offset;
    }
  }
  void nodeGone(NodeId node) override { entries.push_back("gone " + std::to_string(node)); }

  static constexpr std::uint64_t kRecalled = 20;
  std::vector<std::string> entries;
  std::uint64_t offset = 0;
  std::uint64_t epoch = 0;
  std::uint64_t nextRecall = 0;
  std::map<std::uint64_t, std::string> recalled;
  std::string error;
};

}  // namespace stormo::channel

#include "protocol/channel/workerman_command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "protocol/package/frame.h"
#include "support/allocation_count.h"

namespace stormo::channel {
namespace {

using std::string_literals::operator""s;
using testing::ElementsAre;
using testing::IsEmpty;

std::string unhex(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    out.push_back(static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16)));
  }
  return out;
}

/// The frames of a conversation between a PHP client and a PHP server.
std::vector<std::string> recordedFrames() {
  std::ifstream file(STORMO_SOURCE_DIR "/tests/data/channel-conversation.json");
  std::vector<std::string> frames;
  for (const auto& record : nlohmann::json::parse(file)) {
    std::string frame;
    if (record.contains("hex")) {
      frame = unhex(record["hex"]);
    } else {  // recorded by its head: the payload is a string of 70,000 x
      frame = unhex(record["head_hex"]);
      frame.erase(frame.find('x'));
      frame.append(70'000, 'x').append("\";}");
    }
    EXPECT_EQ(frame.size(), record["frame_bytes"].get<std::size_t>());
    frames.push_back(frame);
  }
  return frames;
}

WorkermanCommand decoded(std::string_view payload) {
  WorkermanCommand command;
  EXPECT_EQ(decodeWorkerman(payload, command), Decode::Ok) << payload;
  return command;
}

bool isValid(std::string_view payload) {
  WorkermanCommand command;
  return decodeWorkerman(payload, command) == Decode::Ok;
}

TEST(WorkermanChannel, ARecordedConversationRoundTrips) {
  const std::vector<std::string> frames = recordedFrames();
  ASSERT_EQ(frames.size(), 65u);
  std::map<CommandType, int> seen;
  for (const std::string& frame : frames) {
    ASSERT_EQ(frameLength(frame, 100'000), PackageLength::complete(frame.size()));
    const WorkermanCommand command = decoded(framePayload(frame));
    ++seen[command.type];
    std::string payload;
    encodeWorkerman(command, payload);
    std::string again;
    appendFrame(payload, again);
    EXPECT_EQ(again, frame);
  }
  EXPECT_EQ(seen.size(), 11u) << "some type of command is not in the recording";
}

TEST(WorkermanChannel, ARecordedFrameCutAtAnyByteIsInvalid) {
  for (const std::string& frame : recordedFrames()) {
    const std::string_view payload = framePayload(frame);
    if (payload.size() > 1000) continue;
    for (std::size_t n = 1; n < payload.size(); ++n) {
      const std::vector<char> cut(payload.begin(),
                                  payload.begin() + static_cast<std::ptrdiff_t>(n));
      EXPECT_FALSE(isValid({cut.data(), cut.size()})) << payload.substr(0, n);
    }
  }
}

TEST(WorkermanChannel, ACommandIsSplitIntoTypeChannelsAndRawData) {
  const WorkermanCommand publish = decoded(
      R"(a:3:{s:4:"type";s:7:"publish";s:8:"channels";a:2:{i:0;s:1:"a";i:1;s:1:"b";}s:4:"data";a:1:{i:0;d:0.1;}})");
  EXPECT_EQ(publish.type, CommandType::Publish);
  EXPECT_THAT(publish.channels, ElementsAre("a", "b"));
  EXPECT_EQ(publish.data, "a:1:{i:0;d:0.1;}");

  const WorkermanCommand event =
      decoded(R"(a:3:{s:4:"type";s:5:"event";s:7:"channel";s:1:"a";s:4:"data";N;})");
  EXPECT_EQ(event.type, CommandType::Event);
  EXPECT_THAT(event.channels, ElementsAre("a"));
  EXPECT_EQ(event.data, "N;");
}

TEST(WorkermanChannel, AnEmptyPayloadIsAPing) {
  EXPECT_EQ(decoded("").type, CommandType::Ping);
  std::string out;
  encodeWorkerman(CommandType::Ping, {}, {}, out);
  EXPECT_EQ(out, "");
}

TEST(WorkermanChannel, KeysComeInAnyOrderAndUnknownOnesAreSkipped) {
  const WorkermanCommand command = decoded(
      R"(a:5:{s:4:"data";b:1;i:0;N;s:8:"channels";a:1:{i:0;s:1:"a";}s:1:"?";a:1:{i:0;N;}s:4:"type";s:7:"publish";})");
  EXPECT_EQ(command.type, CommandType::Publish);
  EXPECT_THAT(command.channels, ElementsAre("a"));
  EXPECT_EQ(command.data, "b:1;");
}

TEST(WorkermanChannel, TheLastOfEqualKeysCounts) {
  const WorkermanCommand command = decoded(
      R"(a:4:{s:4:"type";s:9:"subscribe";s:8:"channels";s:1:"a";s:8:"channels";s:1:"b";s:4:"type";s:5:"watch";})");
  EXPECT_EQ(command.type, CommandType::Watch);
  EXPECT_THAT(command.channels, ElementsAre("b"));
}

TEST(WorkermanChannel, ChannelsMayBeOneNameAndNamesMayBeIntegers) {
  const auto channelsOf = [](std::string channels) {
    return decoded("a:2:{s:4:\"type\";s:9:\"subscribe\";s:8:\"channels\";" + channels + "}")
        .channels.size();
  };
  EXPECT_EQ(channelsOf(R"(s:4:"news";)"), 1u);
  EXPECT_EQ(channelsOf(R"(a:0:{})"), 0u);
  EXPECT_EQ(channelsOf(R"(a:2:{s:1:"k";s:1:"a";i:9;s:1:"b";})"), 2u);

  const std::string integers =
      R"(a:2:{s:4:"type";s:9:"subscribe";s:8:"channels";a:3:{i:0;i:123;i:1;i:-5;i:2;i:0;}})";
  EXPECT_THAT(decoded(integers).channels, ElementsAre("123", "-5", "0"));
  const std::string event = R"(a:3:{s:4:"type";s:5:"event";s:7:"channel";i:123;s:4:"data";N;})";
  EXPECT_THAT(decoded(event).channels, ElementsAre("123"));
}

TEST(WorkermanChannel, AnInvalidNameIsInvalid) {
  const auto takes = [](const std::string& name) {
    return isValid("a:2:{s:4:\"type\";s:9:\"subscribe\";s:8:\"channels\";" + name + "}");
  };
  const auto text = [](std::size_t bytes) {
    return "s:" + std::to_string(bytes) + ":\"" + std::string(bytes, 'n') + "\";";
  };
  EXPECT_TRUE(takes(text(1)));
  EXPECT_TRUE(takes(text(255)));
  EXPECT_FALSE(takes(text(0)));
  EXPECT_FALSE(takes(text(256)));
  for (const char* name : {"N;", "b:1;", "d:1;", "i:+7;", "i:007;", "i:-0;", "a:1:{i:0;N;}",
                           "a:1:{i:0;a:1:{i:0;s:1:\"a\";}}", "a:1:{i:0;s:0:\"\";}"}) {
    EXPECT_FALSE(takes(name)) << name;
  }
}

TEST(WorkermanChannel, OneTrailingLineEndIsAccepted) {
  const std::string reserve = R"(a:1:{s:4:"type";s:7:"reserve";})";
  EXPECT_TRUE(isValid(reserve));
  EXPECT_TRUE(isValid(reserve + "\n"));
  EXPECT_FALSE(isValid(reserve + "\n\n"));
  EXPECT_FALSE(isValid(reserve + "\r\n"));
  EXPECT_FALSE(isValid(reserve + "N;"));
  EXPECT_FALSE(isValid("\n"));
}

TEST(WorkermanChannel, AMissingKeyOrAnUnknownTypeIsInvalid) {
  for (const char* payload : {
           R"(a:0:{})",
           R"(a:1:{s:8:"channels";s:1:"a";})",
           R"(a:1:{s:4:"type";s:9:"subscribe";})",
           R"(a:2:{s:4:"type";s:7:"publish";s:4:"data";N;})",
           R"(a:2:{s:4:"type";s:7:"publish";s:8:"channels";s:1:"a";})",
           R"(a:2:{s:4:"type";s:5:"event";s:4:"data";N;})",
           R"(a:2:{s:4:"type";s:5:"event";s:7:"channel";s:1:"a";})",
           R"(a:3:{s:4:"type";s:5:"event";s:8:"channels";s:1:"a";s:4:"data";N;})",
           R"(a:1:{s:4:"type";s:7:"Reserve";})",
           R"(a:1:{s:4:"type";s:8:"reserve?";})",
           R"(a:1:{s:4:"type";s:0:"";})",
           R"(a:1:{s:4:"type";i:1;})",
           R"(a:1:{s:4:"type";a:0:{}})",
           R"(s:7:"reserve";)",
           R"(N;)",
           "hello",
       }) {
    EXPECT_FALSE(isValid(payload)) << payload;
  }
}

/// The output of PHP for data that refers to itself, in messages and alone.
struct WithReferences {
  std::string_view publish;
  std::string_view event;
  std::string_view data;
};
constexpr WithReferences kWithReferences[] = {
    {R"(a:3:{s:4:"type";s:7:"publish";s:8:"channels";a:2:{i:0;s:1:"x";i:1;s:1:"y";}s:4:"data";a:2:{s:1:"a";s:1:"v";s:1:"b";R:7;}})",
     R"(a:3:{s:4:"type";s:5:"event";s:7:"channel";s:1:"x";s:4:"data";a:2:{s:1:"a";s:1:"v";s:1:"b";R:5;}})",
     R"(a:2:{s:1:"a";s:1:"v";s:1:"b";R:2;})"},
    {R"(a:3:{s:4:"type";s:7:"publish";s:8:"channels";a:2:{i:0;s:1:"x";i:1;s:1:"y";}s:4:"data";O:1:"T":2:{s:1:"t";r:6;s:1:"u";a:1:{i:0;r:6;}}})",
     R"(a:3:{s:4:"type";s:5:"event";s:7:"channel";s:1:"x";s:4:"data";O:1:"T":2:{s:1:"t";r:4;s:1:"u";a:1:{i:0;r:4;}}})",
     R"(O:1:"T":2:{s:1:"t";r:1;s:1:"u";a:1:{i:0;r:1;}})"},
};

TEST(WorkermanChannel, ReferencesInDataAreRenumberedForEachMessage) {
  for (const WithReferences& sample : kWithReferences) {
    WorkermanCommand command;
    ASSERT_EQ(decodeWorkerman(sample.publish, command), Decode::Ok);
    EXPECT_EQ(command.data, sample.data);
    std::string again;
    encodeWorkerman(command, again);
    EXPECT_EQ(again, sample.publish);
    std::string event;
    encodeWorkerman(CommandType::Event, {&command.channels.front(), 1}, command.data, event);
    EXPECT_EQ(event, sample.event);
    ASSERT_EQ(decodeWorkerman(event, command), Decode::Ok);
    EXPECT_EQ(command.data, sample.data);
  }
}

TEST(WorkermanChannel, DataWithOutsideReferencesIsInvalid) {
  // The reference counts a value that is hidden in the object before the data.
  WorkermanCommand command;
  EXPECT_EQ(decodeWorkerman(R"(a:4:{s:4:"type";s:7:"publish";s:8:"channels";s:1:"a";s:1:"c";)"
                            R"(C:1:"A":20:{01234567890123456789}s:4:"data";a:1:{i:0;r:20;}})",
                            command),
            Decode::Invalid);
  EXPECT_EQ(command.reason, "data with a reference to its outside");
}

TEST(WorkermanChannel, TheReasonOfAnInvalidMessageIsGiven) {
  const auto reason = [](std::string_view payload) {
    WorkermanCommand command;
    EXPECT_EQ(decodeWorkerman(payload, command), Decode::Invalid) << payload;
    return command.reason;
  };
  const auto withData = [&](std::string_view data) {
    return reason(R"(a:3:{s:4:"type";s:7:"publish";s:8:"channels";s:1:"a";s:4:"data";)" +
                  std::string(data) + "}");
  };
  EXPECT_EQ(reason("GET / HTTP/1.1"), "not a serialized array");
  EXPECT_EQ(reason(R"(a:1:{s:4:"type";s:4:"what";})"), "unknown type");
  EXPECT_EQ(reason(R"(a:1:{s:4:"type";i:1;})"), "malformed type");
  EXPECT_EQ(reason("a:0:{}"), "no type");
  EXPECT_EQ(reason(R"(a:1:{s:4:"type";s:9:"subscribe";})"), "no channels");
  EXPECT_EQ(reason(R"(a:1:{s:8:"channels";i:+1;})"), "malformed channels");
  EXPECT_EQ(withData(R"(O:1:"A":1:{})"), "malformed data, or more than the limits allow");
  EXPECT_EQ(withData("R:2;"), "data with a reference to its outside");
  EXPECT_EQ(reason(R"(a:1:{s:4:"type";s:7:"reserve";}x)"), "bytes after the array");
}

TEST(WorkermanChannel, DataTooDeepIsInvalid) {
  const auto takes = [](const std::string& data) {
    return isValid("a:3:{s:4:\"type\";s:7:\"publish\";s:8:\"channels\";s:1:\"a\";s:4:\"data\";" +
                   data + "}");
  };
  const auto nested = [](std::size_t depth) {
    std::string data;
    for (std::size_t i = 0; i < depth; ++i) data += "a:1:{i:0;";
    return data + "N;" + std::string(depth, '}');
  };
  EXPECT_TRUE(takes(R"(O:8:"stdClass":0:{})"));
  EXPECT_TRUE(takes(nested(64)));
  EXPECT_FALSE(takes(nested(65)));
  EXPECT_FALSE(takes(nested(100'000)));
}

TEST(WorkermanChannel, TheNumberOfChannelsIsLimited) {
  const auto takes = [](std::size_t count) {
    std::string payload = "a:2:{s:4:\"type\";s:9:\"subscribe\";s:8:\"channels\";a:";
    payload += std::to_string(count) + ":{";
    for (std::size_t i = 0; i < count; ++i) payload += "i:0;s:1:\"a\";";
    return isValid(payload + "}}");
  };
  EXPECT_TRUE(takes(1'000'000));
  EXPECT_FALSE(takes(1'000'001));
}

TEST(WorkermanChannel, ImpossibleCountsAreRejectedWithoutAllocating) {
  WorkermanCommand command;
  const std::uint64_t before = test::allocationCount();
  for (const std::string_view payload :
       {std::string_view(R"(a:99999999:{s:4:"type";s:7:"reserve";})"),
        std::string_view(R"(a:2:{s:4:"type";s:5:"watch";s:8:"channels";a:4294967295:{}})"),
        std::string_view(
            R"(a:2:{s:4:"type";s:5:"watch";s:8:"channels";a:18446744073709551616:{}})"),
        std::string_view(R"(a:1:{s:18446744073709551615:"type";s:7:"reserve";})"),
        std::string_view(R"(a:-1:{s:4:"type";s:7:"reserve";})")}) {
    EXPECT_EQ(decodeWorkerman(payload, command), Decode::Invalid) << payload;
  }
  EXPECT_EQ(test::allocationCount(), before);
}

TEST(WorkermanChannel, DecodingIntoAReusedCommandDoesNotAllocate) {
  const std::string_view payload =
      R"(a:3:{s:4:"type";s:7:"publish";s:8:"channels";a:1:{i:0;s:5:"mixed";}s:4:"data";s:4:"ciao";})";
  WorkermanCommand command = decoded(payload);
  const std::uint64_t before = test::allocationCount();
  EXPECT_EQ(decodeWorkerman(payload, command), Decode::Ok);
  EXPECT_EQ(test::allocationCount(), before);
}

TEST(WorkermanChannel, AReusedCommandKeepsNothing) {
  WorkermanCommand command = decoded(
      R"(a:3:{s:4:"type";s:7:"publish";s:8:"channels";a:1:{i:0;s:5:"mixed";}s:4:"data";N;})");
  ASSERT_EQ(decodeWorkerman(R"(a:1:{s:4:"type";s:7:"reserve";})", command), Decode::Ok);
  EXPECT_THAT(command.channels, IsEmpty());
  EXPECT_EQ(command.data, "");
}

}  // namespace
}  // namespace stormo::channel

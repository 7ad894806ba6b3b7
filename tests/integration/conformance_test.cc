// The echo example as a server under the cases of the Autobahn test suite (which is not used here):
// over a socket, byte by byte, and for permessage-deflate with a client that others have written.
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstdlib>

#include "integration/conformance/echo_case.h"
#include "integration/fixed_ports.h"
#include "integration/harness/program_instance.h"

namespace stormo::integration {
namespace {

using test::WebSocketClient;
using websocket::Opcode;
using Frame = WebSocketClient::Frame;

constexpr std::uint16_t kPort = 1235;

class Conformance : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!portsAreFree({kPort})) GTEST_SKIP() << "somebody else listens on the port of the example";
    program_.start();
  }

  static WebSocketClient open() {
    WebSocketClient client = WebSocketClient::open(kPort);
    EXPECT_TRUE(client.isOpen());
    const int on = 1;
    ::setsockopt(client.raw().fd(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return client;
  }

  /// Returns before all is sent if the server ends the connection.
  void send(WebSocketClient& client, std::string_view bytes) {
    for (;;) {
      bytes.remove_prefix(client.raw().send(bytes));
      if (bytes.empty() || client.ended()) return;
      pollfd ready{.fd = client.raw().fd(), .events = POLLIN | POLLOUT, .revents = 0};
      ::poll(&ready, 1, deadline_.pollMilliseconds());
      deadline_.check("a server that reads");
    }
  }

  /// The answers come before the client closes TCP.
  void run(const EchoCase& each) {
    SCOPED_TRACE("case " + each.name);
    WebSocketClient client = open();
    for (const EchoCase::Step& step : each.steps) {
      for (const std::string& write : step.writes) send(client, write);
      for (const Frame& reply : step.replies) {
        const auto frame = client.await();
        ASSERT_TRUE(frame) << "no reply";
        ASSERT_EQ(frame->opcode, reply.opcode);
        ASSERT_TRUE(frame->payload == reply.payload);
      }
    }
    const auto last = client.await();
    ASSERT_TRUE(last) << "no close frame";
    ASSERT_EQ(last->opcode, Opcode::Close);
    EXPECT_EQ(WebSocketClient::closeCode(*last), each.closeCode);
    client.sendClose(CloseCode::Normal);  // ignored if it is the second one
    EXPECT_FALSE(client.await()) << "a frame after the close frame";
    EXPECT_TRUE(client.ended());
  }

  void run(const EchoCases& cases) {
    for (const EchoCase& each : cases) {
      run(each);
      if (HasFailure()) return;
    }
    RecordProperty("cases", static_cast<int>(cases.size()));
  }

  const Deadline deadline_{std::chrono::seconds(120)};
  ProgramInstance program_{deadline_, "echo"};
};

TEST_F(Conformance, Framing) { run(framingCases()); }
TEST_F(Conformance, Pings) { run(pingCases()); }
TEST_F(Conformance, ReservedBits) { run(reservedBitCases()); }
TEST_F(Conformance, Opcodes) { run(opcodeCases()); }
TEST_F(Conformance, Fragmentation) { run(fragmentationCases()); }
TEST_F(Conformance, Utf8) { run(utf8Cases()); }
TEST_F(Conformance, Close) { run(closeCases()); }
TEST_F(Conformance, LongMessages) { run(longMessageCases()); }

TEST_F(Conformance, RoundTrips) {  // 9.7, 9.8
  for (const int opcode : {1, 2}) {
    for (const std::size_t bytes : {0, 16, 64, 256, 1024, 4096}) {
      WebSocketClient client = open();
      const Frame expected{.opcode = static_cast<Opcode>(opcode),
                           .payload = std::string(bytes, '*')};
      const std::string message = WebSocketClient::frame(0x80 | opcode, expected.payload);
      for (int i = 0; i < 1000; ++i) {
        send(client, message);
        ASSERT_EQ(client.await(), expected);
      }
    }
  }
}

TEST_F(Conformance, Deflate) {              // 12 and 13
  const char* python = "/usr/bin/python3";  // Debian's, which has its package
  const bool isRequired = std::getenv("CI") != nullptr && test::kSlowness == 1;  // see ./dev
  const auto attempt =
      test::SpawnedProgram(deadline_, {python, "-c", "import websockets"}).waitForEnd();
  if (attempt.status != 0 && !isRequired) GTEST_SKIP() << "python3-websockets is not installed";
  const std::string script = STORMO_SOURCE_DIR "/tests/integration/conformance/deflate_cases.py";
  const std::string messages = "8";  // of each case
  const auto outcome =
      test::SpawnedProgram(deadline_, {python, script, "127.0.0.1:1235", messages}).waitForEnd();
  EXPECT_EQ(outcome.status, 0) << outcome.errors;
  EXPECT_EQ(outcome.output, "216 cases\n");
}

}  // namespace
}  // namespace stormo::integration

int main(int argc, char** argv) {
  stormo::integration::enterPrivateNetwork();
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

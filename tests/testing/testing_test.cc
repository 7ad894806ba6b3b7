#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stormo/stormo.h>
#include <stormo/testing.h>

#include <chrono>
#include <stdexcept>
#include <string>

#include "support/temp_directory.h"
#include "support/tls_peer.h"

namespace {

using namespace stormo;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A program as a user writes it: two Workers, groups, the program's own Channel.
struct Rooms {
  Rooms() {
    for (Worker* each : {&worker, &other}) {
      each->websocket.subprotocols = {"rooms"};
      each->onWorkerStop = [this](Worker&) { notes.emplace_back("stop"); };
      each->onWebSocketConnect = [](Connection&, WebSocketHandshake& handshake) {
        if (handshake.request.path == "/closed") handshake.refuse(403);
      };
      each->onClose = [this](Connection& connection) {
        notes.push_back("close " + std::to_string(static_cast<int>(connection.closeCode())));
      };
    }
    worker.onWorkerStart = [this](Worker&) { channel.connect(); };
    other.onWorkerStart = [this](Worker&) { otherChannel.connect(); };
    worker.onMessage = [this](Connection& client, Message message) {
      handle(groups, client, message);
    };
    other.onMessage = [this](Connection& client, Message message) {
      handle(otherGroups, client, message);
    };
    lines.onMessage = [](Connection& client, Message line) {
      (void)client.send("echo: " + std::string(line.data));
    };
  }

  static void handle(Groups& groups, Connection& client, Message message) {
    if (message.data == "join") {
      groups.join(client, "room");
    } else if (message.data == "bye") {
      client.close(CloseCode::PolicyViolation, "as you wish");
    } else {
      (void)groups.publish("room", message);
    }
  }

  channel::Server server;
  Worker worker{"websocket://127.0.0.1:0"}, other{"websocket://127.0.0.1:0"};
  Worker lines{"text://127.0.0.1:0"};
  Channel channel, otherChannel;
  Groups groups{channel}, otherGroups{otherChannel};
  std::vector<std::string> notes;
};

TEST(TestProgram, AHandshakeIsAnsweredLaterByAnotherHandler) {
  Worker worker("websocket://127.0.0.1:0");
  worker.onWebSocketConnect = [](Connection&, WebSocketHandshake& handshake) {
    const bool isKnown = handshake.request.queryValue("token") == "1";
    Timer::once(std::chrono::milliseconds(1), [pending = handshake.later(), isKnown] {
      EXPECT_TRUE(isKnown ? pending.accept() : pending.refuse(401));
    });
  };
  worker.onWebSocketOpen = [](Connection& client) { (void)client.send("welcome"); };
  std::string reason;
  worker.onClose = [&](Connection& client) { reason = std::string(client.closeReason()); };
  test::Program program;
  EXPECT_EQ(program.connect(worker, "/?token=2").status(), 401);
  test::Client client = program.connect(worker, "/?token=1");
  EXPECT_EQ(client.receive(), "welcome");
  client.close(CloseCode::Normal, "bye");
  EXPECT_EQ(reason, "bye");
}

TEST(TestProgram, RunsWorkersTheirChannelAndClientsOnOneLoop) {
  Rooms rooms;
  test::Program program;
  test::Client ann = program.connect(rooms.worker), bob = program.connect(rooms.other);
  EXPECT_EQ(ann.status(), 101);
  ann.send("join");
  bob.send("join");
  program.settle();
  ann.send("ciao");
  EXPECT_EQ(bob.receive(), "ciao");
  EXPECT_EQ(ann.receive(), "ciao");
  bob.send(std::string(100'000, 'x'));
  EXPECT_EQ(ann.receive(), std::string(100'000, 'x'));
  EXPECT_THAT(ann.receiveAll(), IsEmpty());
  EXPECT_EQ(bob.receiveAll().size(), 1u);
}

TEST(TestProgram, ClientsUseTheProtocolOfTheirWorker) {
  Rooms rooms;
  test::Program program;
  test::Client client = program.connect(rooms.lines);
  EXPECT_EQ(client.status(), 0);
  client.send("one");
  client.send("two");
  EXPECT_EQ(client.receive(), "echo: one");
  EXPECT_THAT(client.receiveAll(), ElementsAre("echo: two"));
  client.close();
  EXPECT_TRUE(client.isClosed());
}

TEST(TestProgram, ARefusedHandshakeHasItsStatus) {
  Rooms rooms;
  test::Program program;
  EXPECT_EQ(program.connect(rooms.worker, "/closed").status(), 403);
}

TEST(TestProgram, EachSideMayCloseAndTheOtherOneSeesIt) {
  Rooms rooms;
  test::Program program;
  test::Client ann = program.connect(rooms.worker, "/", {{"Sec-WebSocket-Protocol", "rooms"}});
  ann.close(CloseCode::GoingAway, "end");
  EXPECT_THAT(rooms.notes, ElementsAre("close 1001"));
  EXPECT_EQ(ann.closeCode(), CloseCode::GoingAway);
  test::Client bob = program.connect(rooms.worker);
  bob.send("bye");
  bob.waitForClose();
  EXPECT_EQ(bob.closeCode(), CloseCode::PolicyViolation);
  EXPECT_EQ(bob.closeReason(), "as you wish");
  EXPECT_THROW(bob.receive(), std::runtime_error);
}

struct Certificates {
  test::TempDirectory directory;
  TlsCertificate server = test::makeCertificate(directory);
  TlsCertificate client = test::makeCertificate(directory, "ann");
};

TEST(TestProgram, ClientsOfAWorkerWithTlsSpeakTls) {
  const Certificates files;
  Worker worker("websocket://127.0.0.1:0");
  worker.tls.certificates = {files.server};
  Worker lines("text://127.0.0.1:0");
  lines.tls.certificates = {files.server};
  for (Worker* each : {&worker, &lines}) {
    each->onMessage = [](Connection& client, Message message) {
      (void)client.send("echo: " + std::string(message.data));
    };
  }
  test::Program program;
  test::Client ann = program.connect(worker);
  test::Client line = program.connect(lines);
  const std::string longer(50'000, 'x');
  for (test::Client* each : {&ann, &line}) {
    each->send(longer);
    EXPECT_EQ(each->receive(), "echo: " + longer);
    each->close();
    EXPECT_TRUE(each->isClosed());
  }
  EXPECT_EQ(ann.closeCode(), CloseCode::Normal);
}

TEST(TestProgram, ClientsCheckACertificateOnlyWithAuthorities) {
  const Certificates files;
  Worker worker("websocket://127.0.0.1:0");
  worker.tls.certificates = {files.server};
  test::Program program;
  const auto statusWith = [&](const TlsClient& tls) {
    return program.connect(worker, "/", {}, tls).status();
  };
  EXPECT_EQ(statusWith({}), 101);
  EXPECT_EQ(statusWith({.authoritiesFile = files.server.certificateFile}), 101);
  EXPECT_THROW(statusWith({.authoritiesFile = files.client.certificateFile}), std::runtime_error);
}

TEST(TestProgram, AWorkerWithMutualTlsIsShownTheCertificateOfTheClient) {
  const Certificates files;
  Worker worker("websocket://127.0.0.1:0");
  worker.tls = {.certificates = {files.server},
                .clientAuthoritiesFile = files.client.certificateFile};
  test::Program program;
  EXPECT_EQ(program.connect(worker, "/", {}, {.certificate = files.client}).status(), 101);
  EXPECT_THROW(program.connect(worker), std::runtime_error);
}

TEST(TestProgram, AtItsEndClosesTheConnectionsAndStopsTheWorkers) {
  Rooms rooms;
  {
    test::Program program;
    test::Client ann = program.connect(rooms.worker);
    rooms.notes.clear();
  }
  EXPECT_THAT(rooms.notes, testing::Contains("stop").Times(2));
  EXPECT_THAT(rooms.notes, testing::Contains(HasSubstr("close ")).Times(1));
}

TEST(TestProgram, RethrowsExceptionsOfOnWorkerStart) {
  Rooms rooms;
  Worker late("text://127.0.0.1:0");
  late.onWorkerStart = [](Worker&) { throw std::runtime_error("on purpose"); };
  EXPECT_THROW(test::Program(), std::runtime_error);
}

TEST(TestProgram, HasNoClientsOfAWorkerThatWasDeclaredLater) {
  Rooms rooms;
  test::Program program;
  Worker later("text://127.0.0.1:0");
  EXPECT_THROW(program.connect(later), std::invalid_argument);
}

TEST(TestProgram, AClientOfHttpSendsAndReceivesItsBytes) {
  Worker api("http://127.0.0.1:0");
  api.onRequest = [](const HttpRequest& request, HttpResponse& response) {
    response.end(request.path);
  };
  Groups groups;
  api.onConnect = [&](Connection& client) {
    EXPECT_THROW(groups.join(client, "room"), std::logic_error);
  };
  test::Program program;
  test::Client client = program.connect(api);
  client.send("GET /a HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client.receive(), testing::EndsWith("\r\n\r\n/a"));
}

}  // namespace

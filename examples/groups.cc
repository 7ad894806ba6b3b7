// Group messages across processes: join a group, send to a group. Exactly once, in one order.
#include <stormo/stormo.h>

using namespace stormo;

int main(int argc, char** argv) {
  channel::Server channelServer;  // the process that joins the workers

  Worker worker("websocket://0.0.0.0:1234");
  worker.count = 4;

  Channel channel;
  Groups groups(channel);

  worker.onWorkerStart = [&](Worker&) { channel.connect(); };

  worker.onMessage = [&](Connection& connection, Message message) {
    const Value command = parseJson(message).value_or(Value());
    const std::string_view group = command["group_id"].asString();
    if (!Groups::isName(group)) return connection.close(CloseCode::PolicyViolation, "no group_id");
    if (command["cmd"].asString() == "add_group") groups.join(connection, group);
    if (command["cmd"].asString() == "send_to_group") {
      const PublishStatus status = groups.publish(group, command["message"].asString());
      if (status != PublishStatus::Accepted) connection.close(CloseCode::TryAgainLater);
    }
  };

  return Worker::runAll(argc, argv);
}

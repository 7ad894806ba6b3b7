#pragma once

// Everything that a program made with the framework needs.
#include <stormo/audience.h>
#include <stormo/backend.h>
#include <stormo/channel.h>
#include <stormo/channel/client.h>
#include <stormo/channel/server.h>
#include <stormo/connection.h>
#include <stormo/connector.h>
#include <stormo/event_loop.h>
#include <stormo/group_server.h>
#include <stormo/groups.h>
#include <stormo/http.h>
#include <stormo/json.h>
#include <stormo/log.h>
#include <stormo/message.h>
#include <stormo/program_options.h>
#include <stormo/protocol.h>
#include <stormo/run_blocking.h>
#include <stormo/timer.h>
#include <stormo/value.h>
#include <stormo/worker.h>

#pragma once

namespace stormo::channel {

/// For a process that ends: this thread's Client asks for no more jobs. Jobs that are on their way
/// go back to their queues; see ClientLink::stopTakingJobs().
void stopTakingJobs();

}  // namespace stormo::channel

//! Signs of life. A task that waits, for a server, for a lock in the target or for something to do,
//! is well however long that takes: the server shows what it waits for. A task that does not come
//! back from its own computing is not well, nor are lanes that wait for each other.

use std::fmt;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

/// An idle lane that notes its position is at work only if that takes longer than this: nobody
/// waits for the note itself.
const NOTE: Duration = Duration::from_secs(1);

/// What a task is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    /// Its own matter: computing, or waiting for a server or for a moment. What all tasks but the
    /// lanes do unless they say otherwise.
    Work,
    /// Waiting for something to do. What lanes do unless they say otherwise.
    Idle,
    /// Noting how far the log has come.
    Note,
    /// Waiting for the lanes, or for another one of them.
    Lanes,
}

/// The pulses of all tasks that are there, and of the runtime that gives them their turns.
#[derive(Debug, Default)]
pub struct Pulses {
    tasks: Mutex<Vec<Weak<Task>>>,
    turned: Mutex<Option<Instant>>,
}

/// One task's own.
#[derive(Clone, Debug)]
pub struct Pulse(Arc<Task>);

#[derive(Debug)]
struct Task {
    name: String,
    lane: bool,
    born: Instant,
    /// Milliseconds from the birth to the poll that has not ended, plus one; 0: there is none.
    polled: AtomicU64,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    doing: Doing,
    since: Instant,
    /// When it was last at work.
    worked: Instant,
}

/// Why a task is not well.
#[derive(Debug, PartialEq, Eq)]
pub enum Stuck {
    Computing { task: String, seconds: u64 },
    Waiting { task: String, seconds: u64 },
    NoTurn { seconds: u64 },
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Computing { task, seconds } => {
                write!(f, "{task} has computed for {seconds} s without a pause")
            }
            Self::Waiting { task, seconds } => write!(
                f,
                "{task} has waited for {seconds} s for the lanes, and none of them is at work"
            ),
            Self::NoTurn { seconds } => {
                write!(f, "no task has had its turn for {seconds} s")
            }
        }
    }
}

impl Pulses {
    pub fn of_lane(&self, number: usize) -> Pulse {
        self.add(format!("lane {number}"), true)
    }

    pub fn of(&self, name: &str) -> Pulse {
        self.add(name.to_owned(), false)
    }

    fn add(&self, name: String, lane: bool) -> Pulse {
        let now = Instant::now();
        let task = Arc::new(Task {
            name,
            lane,
            born: now,
            polled: AtomicU64::new(0),
            state: Mutex::new(State {
                doing: if lane { Doing::Idle } else { Doing::Work },
                since: now,
                worked: now,
            }),
        });
        let mut tasks = held(&self.tasks);
        tasks.retain(|task| task.strong_count() > 0);
        tasks.push(Arc::downgrade(&task));
        Pulse(task)
    }

    /// To be said again and again by a task: the runtime works. One thread that computes can keep
    /// all others waiting, for it may be the one that watches the sockets and the clock.
    pub fn turn(&self) {
        *held(&self.turned) = Some(Instant::now());
    }

    /// A task that has not been well for `limit`. Those that have ended are not looked at.
    pub fn stuck(&self, limit: Duration) -> Option<Stuck> {
        let tasks: Vec<Arc<Task>> = held(&self.tasks).iter().filter_map(Weak::upgrade).collect();
        let computing = tasks
            .iter()
            .filter_map(|task| Some((task.computing()?, &task.name)))
            .max();
        let turned = held(&self.turned).map_or(Duration::ZERO, |turned| turned.elapsed());
        match computing {
            // What computes may be what keeps all others from their turns.
            Some((time, task)) if time > limit || turned > limit && time > limit / 2 => {
                return Some(Stuck::Computing {
                    task: task.clone(),
                    seconds: time.as_secs(),
                });
            }
            _ if turned > limit => {
                return Some(Stuck::NoTurn {
                    seconds: turned.as_secs(),
                });
            }
            _ => {}
        }
        let mut lanes = tasks.iter().filter(|task| task.lane);
        if !lanes.all(|lane| lane.quiet() > limit) {
            return None;
        }
        tasks.iter().find_map(|task| {
            let state = *held(&task.state);
            let waited = state.since.elapsed();
            let stuck = state.doing == Doing::Lanes && waited > limit;
            stuck.then(|| Stuck::Waiting {
                task: task.name.clone(),
                seconds: waited.as_secs(),
            })
        })
    }
}

impl Pulse {
    /// Runs the task under its pulse.
    pub fn watch<F: Future>(self, task: F) -> Watched<F> {
        Watched {
            pulse: self,
            task: Box::pin(task),
        }
    }

    /// Does something, and says what meanwhile.
    pub async fn during<T>(&self, doing: Doing, what: impl Future<Output = T>) -> T {
        let _back = Back(&self.0, self.0.turn_to(doing));
        what.await
    }
}

/// Back to what it did before, also where the waiting was given up.
struct Back<'a>(&'a Task, Doing);

impl Drop for Back<'_> {
    fn drop(&mut self) {
        self.0.turn_to(self.1);
    }
}

impl Task {
    /// Returns what it did before.
    fn turn_to(&self, doing: Doing) -> Doing {
        let mut state = held(&self.state);
        let now = Instant::now();
        if state.at_work() {
            state.worked = now;
        }
        state.since = now;
        std::mem::replace(&mut state.doing, doing)
    }

    /// How long the poll takes that has not ended.
    fn computing(&self) -> Option<Duration> {
        let begun = self.polled.load(Ordering::Relaxed).checked_sub(1)?;
        Some(
            self.born
                .elapsed()
                .saturating_sub(Duration::from_millis(begun)),
        )
    }

    /// How long it has not been at work.
    fn quiet(&self) -> Duration {
        let state = *held(&self.state);
        match state.at_work() {
            true => Duration::ZERO,
            false => state.worked.elapsed(),
        }
    }
}

impl State {
    fn at_work(&self) -> bool {
        match self.doing {
            Doing::Work => true,
            Doing::Note => self.since.elapsed() > NOTE,
            Doing::Idle | Doing::Lanes => false,
        }
    }
}

/// A task that shows when it computes.
pub struct Watched<F> {
    pulse: Pulse,
    task: Pin<Box<F>>,
}

impl<F: Future> Future for Watched<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let task = self.pulse.0.clone();
        let begun = u64::try_from(task.born.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
        task.polled.store(begun + 1, Ordering::Relaxed);
        let polled = self.task.as_mut().poll(context);
        task.polled.store(0, Ordering::Relaxed);
        polled
    }
}

/// Nothing under these locks can panic.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    const LIMIT: Duration = Duration::from_millis(60);

    /// Waits until the task is found stuck.
    fn await_stuck(pulses: &Pulses) -> Stuck {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            if let Some(stuck) = pulses.stuck(LIMIT) {
                return stuck;
            }
            assert!(Instant::now() < deadline, "waited 10 s for a stuck task");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Not once stuck in a time in which it would have been found.
    fn assert_well(pulses: &Pulses) {
        let end = Instant::now() + LIMIT * 3;
        while Instant::now() < end {
            assert_eq!(pulses.stuck(LIMIT), None);
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn a_task_that_does_not_come_back_is_stuck_until_it_does() {
        for pulse in ["reader", "refresher"] {
            let pulses = Pulses::default();
            let pulse = pulses.of(pulse);
            let (release, released) = mpsc::channel::<()>();
            let task = pulse.clone().watch(async move { released.recv() });
            std::thread::scope(|scope| {
                scope.spawn(|| futures_util::FutureExt::now_or_never(task));
                let Stuck::Computing { task, .. } = await_stuck(&pulses) else {
                    panic!("it waits for nobody");
                };
                assert_eq!(task, pulse.0.name);
                drop(release);
            });
            assert_well(&pulses);
        }
    }

    /// What a pulse says as long as this is kept.
    fn doing(pulse: &Pulse, doing: Doing) -> impl Future<Output = ()> {
        let mut forever = Box::pin(pulse.during(doing, std::future::pending::<()>()));
        assert!(futures_util::FutureExt::now_or_never(forever.as_mut()).is_none());
        forever
    }

    #[test]
    fn waiting_for_a_server_is_well_however_long() {
        let pulses = Pulses::default();
        let (lane, idle, reader) = (pulses.of_lane(0), pulses.of_lane(1), pulses.of("reader"));
        // A lane at a lock of the target, and the reader that waits for room in its queue.
        let at_a_lock = doing(&lane, Doing::Work);
        let _waits = doing(&reader, Doing::Lanes);
        assert_well(&pulses);
        drop((at_a_lock, idle));
        await_stuck(&pulses);
    }

    #[test]
    fn lanes_that_wait_for_each_other_are_stuck() {
        let pulses = Pulses::default();
        let (one, other) = (pulses.of_lane(0), pulses.of_lane(1));
        let meeting = doing(&one, Doing::Lanes);
        let stuck = await_stuck(&pulses);
        assert!(matches!(stuck, Stuck::Waiting { task, .. } if task == "lane 0"));
        // The other one takes up what it was waited for.
        let comes = doing(&other, Doing::Work);
        assert_well(&pulses);
        drop(comes);
        await_stuck(&pulses);
        drop(meeting);
        assert_well(&pulses);
    }

    #[test]
    fn a_note_is_work_only_if_it_does_not_end() {
        let pulses = Pulses::default();
        let (one, other) = (pulses.of_lane(0), pulses.of_lane(1));
        let _meeting = doing(&one, Doing::Lanes);
        let begun = Instant::now();
        while begun.elapsed() < LIMIT * 2 {
            drop(doing(&other, Doing::Note));
            std::thread::sleep(LIMIT / 6);
        }
        assert!(pulses.stuck(LIMIT).is_some());
        let _at_a_lock = doing(&other, Doing::Note);
        std::thread::sleep(NOTE);
        assert_well(&pulses);
    }

    #[test]
    fn a_runtime_that_gives_no_turns_is_stuck() {
        let pulses = Pulses::default();
        assert_well(&pulses);
        pulses.turn();
        assert!(matches!(await_stuck(&pulses), Stuck::NoTurn { .. }));
        pulses.turn();
        assert_eq!(pulses.stuck(Duration::from_secs(60)), None);
    }

    #[test]
    fn a_task_that_has_ended_is_not_looked_at() {
        let pulses = Pulses::default();
        let lane = pulses.of_lane(0);
        let waits = doing(&lane, Doing::Lanes);
        await_stuck(&pulses);
        drop(waits);
        drop(lane);
        assert_eq!(pulses.stuck(LIMIT), None);
    }
}

//! What is short-lived: receipts, presence, typing. Of one key only the newest waits, at the place of the first; and under
//! load the least important goes first.

use super::*;
use crate::publish::Class;

/// In a queue of up to this many items, a key is looked for by looking at all of them.
const LOOKED_AT_MAX: usize = 32;

/// Which of what waits is short-lived.
///
/// A slow reader of a large room may have a thousand receipts waiting, and each new one is looked up among them: in a
/// longer queue by an index, which is made when it is first needed. A socket that keeps up never has one.
#[derive(Debug, Default)]
pub(super) struct Shorts {
    /// How many wait, by [`Grade`].
    waiting: [u32; Grade::ALL.len()],
    /// What the first item of the queue has as its number; those behind it count on.
    first: u32,
    /// The numbers of items, by key. `None`: not needed, or items have moved since.
    index: Option<Box<Index>>,
}

/// Boxed, because hardly any socket has one.
#[derive(Debug)]
struct Index(HashMap<Class, u32, RandomState>);

impl Shorts {
    /// Items of the queue have other places now.
    pub(super) fn moved(&mut self) {
        self.index = None;
    }

    /// The first item of the queue has left it.
    pub(super) fn popped(&mut self, item: &Item) {
        self.first = self.first.wrapping_add(1);
        if let Item::Short(frame) = item {
            self.forget(&frame.class);
        }
    }

    fn forget(&mut self, class: &Class) {
        if let Some(waiting) = class.grade().and_then(|grade| self.waiting.get_mut(grade as usize)) {
            *waiting = waiting.saturating_sub(1);
        }
        if let Some(index) = &mut self.index {
            index.0.remove(class);
        }
    }

    /// It stands at the end of the queue now, which has `len` items with it.
    fn added(&mut self, frame: &Frame, grade: Grade, len: usize) {
        if let Some(waiting) = self.waiting.get_mut(grade as usize) {
            *waiting += 1;
        }
        if let Some(index) = &mut self.index {
            index.0.insert(frame.class, self.first.wrapping_add(place(len.saturating_sub(1))));
        }
    }

    fn waiting(&self, grade: Grade) -> u32 {
        self.waiting.get(grade as usize).copied().unwrap_or_default()
    }

    /// Where in the queue a frame of this class and key waits.
    fn find(&mut self, class: &Class, grade: Grade, queue: &VecDeque<Item>) -> Option<usize> {
        if self.waiting(grade) == 0 {
            return None;
        }
        if queue.len() <= LOOKED_AT_MAX {
            return queue.iter().rposition(|item| matches!(item, Item::Short(frame) if frame.class == *class));
        }
        let first = self.first;
        let index = self.index.get_or_insert_with(|| {
            let keyed = queue.iter().enumerate().filter_map(|(at, item)| match item {
                Item::Short(frame) => Some((frame.class, first.wrapping_add(place(at)))),
                _ => None,
            });
            Box::new(Index(keyed.collect()))
        });
        index.0.get(class).and_then(|number| usize::try_from(number.wrapping_sub(first)).ok())
    }
}

/// A queue never holds four billion items: `bytes_limit` bounds it.
fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

impl Outbox {
    /// What was published to a topic of this socket.
    pub fn publish(&mut self, frame: &Rc<Frame>) {
        let Some(grade) = frame.class.grade() else { return self.push(frame.text.clone()) };
        if self.closing.is_some() {
            return;
        }
        if let Some(at) = self.shorts.find(&frame.class, grade, &self.queue)
            && let Some(older) = self.queue.get_mut(at)
        {
            let replaced = std::mem::replace(older, Item::Short(Rc::clone(frame)));
            self.bytes = self.bytes - replaced.bytes() + frame.text.len();
        } else {
            if !self.has_room_for(grade) {
                return self.count_shed(grade, 1);
            }
            self.bytes += frame.text.len();
            self.queue.push_back(Item::Short(Rc::clone(frame)));
            self.shorts.added(frame, grade, self.queue.len());
        }
        if self.bytes > self.bytes_max {
            self.shed();
        }
    }

    /// Whether what is short-lived leaves room for one more of this grade, perhaps after what matters less has gone.
    fn has_room_for(&mut self, grade: Grade) -> bool {
        let bytes_max = self.bytes_max / 2;
        for less in Grade::ALL.into_iter().take_while(|less| *less < grade) {
            if self.bytes > bytes_max {
                self.shed_grade(less);
            }
        }
        self.bytes <= bytes_max
    }

    /// Drops all that waits of a grade.
    pub(super) fn shed_grade(&mut self, grade: Grade) {
        let count = self.shorts.waiting(grade);
        if count == 0 {
            return;
        }
        let bytes = &mut self.bytes;
        self.queue.retain(|item| {
            let goes = matches!(item, Item::Short(frame) if frame.class.grade() == Some(grade));
            if goes {
                *bytes -= item.bytes();
            }
            !goes
        });
        self.shorts.moved();
        if let Some(waiting) = self.shorts.waiting.get_mut(grade as usize) {
            *waiting = 0;
        }
        self.count_shed(grade, count);
    }

    fn count_shed(&mut self, grade: Grade, frames: u32) {
        if let Some(shed) = self.shed.short.get_mut(grade as usize) {
            *shed = shed.saturating_add(frames);
        }
    }
}

//! What a broken engine may do, and the law that each of it breaks.

use clap::ValueEnum;

use super::checker::Invariant;

/// Something that a broken engine does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Flaw {
    LostMessage,
    DoubledMessage,
    OneIdForTwoMessages,
    PhantomMessage,
    ReplyForgotten,
    RefusedMessageKept,
    MemberRefused,
    ReturnedMemberRefused,
    RefusedForNoGoodReason,
    WrongAcknowledgement,
    OvertakenMessage,
    HoleInTheOrder,
    MessageMissingInTheList,
    DoubledInTheList,
    DisorderedList,
    ReorderedForAReader,
    GapForAReader,
    RepetitionForAReader,
    ForgottenOnComingBack,
    ResumedFromNowhere,
    MemberIsNotResumed,
    CalledAhead,
    CalledOfAnotherLog,
    CalledTooMany,
    OtherContentForAReader,
    ReadersDisagree,
    ReaderLeftBehind,
    WrongFrameWhileBehind,
    StrangerSees,
    RemovedReadsAPage,
    StrangerIsSentWhileBehind,
    FrameOfAForeignRoom,
    StrangerIsToldOfMarks,
    ReadFromOutside,
    ForgottenChange,
    PhantomChange,
    WipedTopic,
    WrongRoleShown,
    WrongNameShown,
    WrongTopicShown,
    MemberListedTwice,
    RoomMissingInOnesList,
    RoomTwiceInOnesList,
    RoomInAStrangersList,
    WrongMemberCount,
    WrongUnread,
    WrongOwnRole,
    WrongOwnReadMark,
    StaleCard,
    StaleTime,
    ShrinkingReadMark,
    LostReadMark,
    LostDeliveredMark,
    InventedMark,
    UnansweredCommand,
    LostByTheRestart,
    DoubledAfterTheRestart,
    LostEdit,
    DoubledEdit,
    PhantomEdit,
    EditByAnother,
    EditAfterDeletion,
    RefusedEditKept,
    EditRefused,
    OldFormInAPage,
    OldFormOnComingBack,
    FormOfNoEdit,
    EditWithoutWords,
    OldFormForAReader,
    OldFormInTheEnd,
    OldFormInTheList,
    EditLostByTheRestart,
}

impl Flaw {
    /// The law that it breaks.
    pub fn breaks(self) -> Invariant {
        match self {
            Self::LostMessage | Self::LostEdit => Invariant::AcknowledgedIsKept,
            Self::DoubledMessage | Self::OneIdForTwoMessages | Self::DoubledEdit => Invariant::ExactlyOnce,
            Self::PhantomMessage
            | Self::ReplyForgotten
            | Self::PhantomChange
            | Self::WipedTopic
            | Self::PhantomEdit
            | Self::EditByAnother
            | Self::EditAfterDeletion => Invariant::NothingFromNowhere,
            Self::RefusedMessageKept | Self::RefusedEditKept => Invariant::RefusedIsAbsent,
            Self::MemberRefused | Self::ReturnedMemberRefused | Self::RefusedForNoGoodReason | Self::EditRefused => {
                Invariant::MembersMayWrite
            }
            Self::WrongAcknowledgement => Invariant::AcknowledgementIsTrue,
            Self::OvertakenMessage => Invariant::RealTimeOrder,
            Self::HoleInTheOrder => Invariant::WithoutHoles,
            Self::MessageMissingInTheList | Self::DoubledInTheList | Self::DisorderedList | Self::OldFormInTheList => {
                Invariant::ListIsTheOrder
            }
            Self::ReorderedForAReader | Self::GapForAReader | Self::RepetitionForAReader => Invariant::SeenInOrder,
            Self::ForgottenOnComingBack
            | Self::ResumedFromNowhere
            | Self::MemberIsNotResumed
            | Self::CalledAhead
            | Self::CalledOfAnotherLog
            | Self::CalledTooMany => Invariant::ResumedOrNamed,
            Self::OtherContentForAReader | Self::WrongFrameWhileBehind => Invariant::SeenIsKept,
            Self::OldFormInAPage
            | Self::OldFormOnComingBack
            | Self::FormOfNoEdit
            | Self::EditWithoutWords
            | Self::OldFormForAReader
            | Self::OldFormInTheEnd => Invariant::PresentForm,
            Self::ReadersDisagree => Invariant::ReadersAgree,
            Self::ReaderLeftBehind => Invariant::SeenToTheEnd,
            Self::StrangerSees
            | Self::RemovedReadsAPage
            | Self::StrangerIsSentWhileBehind
            | Self::FrameOfAForeignRoom
            | Self::StrangerIsToldOfMarks
            | Self::ReadFromOutside => Invariant::MembersOnly,
            Self::ForgottenChange => Invariant::GrantedIsKept,
            Self::WrongRoleShown | Self::WrongNameShown | Self::WrongTopicShown | Self::MemberListedTwice => {
                Invariant::ReplayIsState
            }
            Self::RoomMissingInOnesList
            | Self::RoomTwiceInOnesList
            | Self::RoomInAStrangersList
            | Self::WrongMemberCount
            | Self::WrongUnread
            | Self::WrongOwnRole
            | Self::WrongOwnReadMark
            | Self::StaleCard
            | Self::StaleTime => Invariant::OwnRoomsAreTheOrder,
            Self::ShrinkingReadMark | Self::LostReadMark | Self::LostDeliveredMark | Self::InventedMark => {
                Invariant::MarksOnlyGrow
            }
            Self::UnansweredCommand => Invariant::AnsweredOnce,
            Self::LostByTheRestart | Self::DoubledAfterTheRestart | Self::EditLostByTheRestart => {
                Invariant::RestartKeepsAll
            }
        }
    }
}

import CLinux

/// An option of a command line.
package struct CommandOption {
    /// How it is written with one hyphen, and with two; `nil`: it is not.
    fileprivate let short: CString?
    fileprivate let long: CString?
    /// What a command knows it by: the letter it is written with, or another if there is none.
    fileprivate let letter: UInt8
    fileprivate let takesArgument: Bool
    /// Whether it may be given more than once, each naming one more of something.
    fileprivate let mayRepeat: Bool

    /// An option that can be written with a letter: `-x`.
    package init(
        _ short: CString, _ long: CString? = nil, takesArgument: Bool = false, mayRepeat: Bool = false
    ) {
        self.short = short
        self.long = long
        letter = UInt8(bitPattern: unsafe short.pointer[1])
        self.takesArgument = takesArgument
        self.mayRepeat = mayRepeat
    }

    /// An option that is written with a word only: `--word`.
    package init(_ long: CString, knownBy letter: Unicode.Scalar, takesArgument: Bool = true) {
        short = nil
        self.long = long
        self.letter = UInt8(truncatingIfNeeded: letter.value)
        self.takesArgument = takesArgument
        mayRepeat = false
    }

    /// That it is given a second time, as it was written that time.
    fileprivate func givenTwice(isWord: Bool) -> SystemError {
        SystemError((isWord ? long : short) ?? "option", "option", because: "given twice")
    }
}

/// Reads the options of a command line with getopt_long(3), which says itself what it does not know.
///
/// What is given twice, however it is written, is refused: one of the two would be left out.
@safe package struct OptionReader {
    private let count: Int32
    private let arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    /// A bit for each option that was given, as they are numbered where they are known.
    private var given: UInt32 = 0

    /// Begins behind the first argument, in place of which `program` begins what getopt_long(3) says.
    package init(
        _ count: Int32, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>, as program: CString
    ) {
        unsafe arguments[0] = UnsafeMutablePointer(mutating: program.pointer)
        self.count = count
        unsafe self.arguments = arguments
        clinux_begin_options()
    }

    /// The letter of the next option, `?` for one that is wrong, or `nil` when there are no more.
    ///
    /// - Parameter known: the options there are, the same each time, 15 at most.
    @inline(never)
    package mutating func next(of known: Span<CommandOption>) throws(SystemError) -> Unicode.Scalar? {
        var place: Int32 = -1
        let found = getopt(known, &place)
        if found < 0 { return nil }
        if let option = markGiven(found, of: known), !option.mayRepeat { throw option.givenTwice(isWord: place >= 0) }
        return Unicode.Scalar(UInt8(truncatingIfNeeded: found))
    }

    /// Marks an option as given, and returns it if it was before.
    private mutating func markGiven(_ letter: Int32, of known: Span<CommandOption>) -> CommandOption? {
        for index in known.indices where Int32(known[index].letter) == letter {
            let bit: UInt32 = 1 << UInt32(index)
            let isRepeated = given & bit != 0
            given |= bit
            return isRepeated ? known[index] : nil
        }
        return nil
    }

    /// Calls getopt_long(3). `place` becomes the number of an option that is written with two hyphens, among those that
    /// can be.
    private func getopt(_ known: Span<CommandOption>, _ place: inout Int32) -> Int32 {
        var letters = InlineArray<32, CChar>(repeating: 0)
        var words = unsafe InlineArray<16, option>(repeating: option())
        var (letterCount, wordCount) = (0, 0)
        for index in known.indices {
            let option = known[index]
            if option.short != nil {
                letters[letterCount] = CChar(bitPattern: option.letter)
                if option.takesArgument { letters[letterCount + 1] = CChar(bitPattern: UInt8(ascii: ":")) }
                letterCount += option.takesArgument ? 2 : 1
            }
            if let long = option.long {
                unsafe words[wordCount] = CLinux.option(
                    name: long.pointer + 2, has_arg: option.takesArgument ? required_argument : no_argument, flag: nil,
                    val: Int32(option.letter))
                wordCount += 1
            }
        }
        let (letterSpan, wordSpan) = unsafe (letters.span, words.span)
        return unsafe letterSpan.withUnsafeBufferPointer { letters in
            unsafe wordSpan.withUnsafeBufferPointer { words in
                guard let letters = letters.baseAddress else { return -1 }
                return unsafe getopt_long(count, arguments, letters, words.baseAddress, &place)
            }
        }
    }

    /// One of the arguments that are no options, from 0 on, once there are no more options: those are put in front.
    package func operand(_ index: Int) -> CString? {
        let place = Int(clinux_option_index()) + index
        guard place < Int(count), let argument = unsafe arguments[place] else { return nil }
        return unsafe CString(unsafe: argument)
    }

    /// Refuses arguments that are no options.
    package func refuseOperands() throws(SystemError) {
        if let extra = operand(0) { throw SystemError(extra, "argument", because: "none is expected") }
    }
}

/// The argument of the option just found, which must have one.
package func optionArgument() -> CString {
    guard let argument = unsafe clinux_option_argument() else { return "(none)" }
    return unsafe CString(unsafe: argument)
}

/*
 * A window that uploads a file: choose, start, pause, resume, cancel.
 *
 *     window [URL [FILE]]
 *
 * The upload works by itself. A timer of the window asks ten times a second what has happened, so that everything
 * is done on the window's own thread. FLTK 1.3 or later (Debian: libfltk1.3-dev).
 *
 * Build, at the top of the tree, after `make lib`:
 *     c++ -std=c++17 -Iinclude -Ibindings/cpp/include examples/cpp/window.cpp $(fltk-config --cxxflags --ldflags) -Ltarget/release -lresup -Wl,-rpath,$PWD/target/release -o window
 */
#include <resup/resup.hpp>

#include <FL/Fl.H>
#include <FL/Fl_Box.H>
#include <FL/Fl_Button.H>
#include <FL/Fl_Input.H>
#include <FL/Fl_Native_File_Chooser.H>
#include <FL/Fl_Progress.H>
#include <FL/Fl_Window.H>

#include <chrono>
#include <cstdio>
#include <string>

class Window : public Fl_Window {
  public:
    Window(const char *url, const char *file) : Fl_Window(520, 200, "Upload")
    {
        url_.value(url);
        file_.value(file);
        progress_.minimum(0);
        progress_.maximum(1);
        progress_.selection_color(fl_rgb_color(0x3b, 0x82, 0xc4));
        status_.align(FL_ALIGN_LEFT | FL_ALIGN_INSIDE | FL_ALIGN_WRAP);
        choose_.callback([](Fl_Widget *, void *self) { static_cast<Window *>(self)->choose(); }, this);
        start_.callback([](Fl_Widget *, void *self) { static_cast<Window *>(self)->start(); }, this);
        pause_.callback([](Fl_Widget *, void *self) { static_cast<Window *>(self)->pause(); }, this);
        cancel_.callback([](Fl_Widget *, void *self) { static_cast<Window *>(self)->upload_.cancel(); }, this);
        end();
        offer(false);
    }

    ~Window() override { Fl::remove_timeout(tick, this); }

  private:
    void choose()
    {
        Fl_Native_File_Chooser chooser;
        if (chooser.show() == 0)
            file_.value(chooser.filename());
    }

    void start()
    try {
        resup::Client client(url_.value());
        upload_ = resup::Upload(client, std::filesystem::u8path(file_.value()));
        upload_.start();
        offer(true);
        Fl::add_timeout(0.1, tick, this);
    } catch (const std::exception &error) {
        tell(error.what());
    }

    void pause()
    {
        if (upload_.state() == resup::State::paused)
            upload_.resume();
        else
            upload_.pause();
    }

    static void tick(void *self) { static_cast<Window *>(self)->look(); }

    // Shows the state of the upload, and sets the timer again while it goes on.
    void look()
    try {
        const bool complete = upload_.wait(std::chrono::milliseconds(0));
        const auto size = upload_.size();
        progress_.value(size ? static_cast<float>(static_cast<double>(upload_.position()) / static_cast<double>(size))
                             : complete);
        if (complete) {
            tell("Complete. Digest " + upload_.digest().value_or("not computed"));
            return offer(false);
        }
        tell(words());
        pause_.copy_label(upload_.state() == resup::State::paused ? "Resume" : "Pause");
        Fl::repeat_timeout(0.1, tick, this);
    } catch (const resup::Error &error) {
        tell(error.what());
        offer(false);
    }

    std::string words() const
    {
        char text[200];
        switch (upload_.state()) {
        case resup::State::paused:
            return upload_.offset() > 0 ? "Paused. The server keeps what it has." : "Paused.";
        case resup::State::waiting: return "Waiting to try again: " + upload_.error_message();
        case resup::State::hashing: return "Reading what the server has already.";
        case resup::State::sending:
            std::snprintf(text, sizeof text, "%.1f of %.1f MB, %.1f MB/s", static_cast<double>(upload_.position()) / 1e6,
                          static_cast<double>(upload_.size()) / 1e6, static_cast<double>(upload_.rate()) / 1e6);
            return text;
        default: return "Asking the server.";
        }
    }

    void tell(const std::string &text) { status_.copy_label(text.c_str()); }

    // Enables the buttons that can be used while an upload runs, or while none does.
    void offer(bool under_way)
    {
        for (Fl_Widget *widget : {static_cast<Fl_Widget *>(&url_), static_cast<Fl_Widget *>(&file_),
                                  static_cast<Fl_Widget *>(&choose_), static_cast<Fl_Widget *>(&start_)})
            under_way ? widget->deactivate() : widget->activate();
        for (Fl_Button *button : {&pause_, &cancel_})
            under_way ? button->activate() : button->deactivate();
        pause_.label("Pause");
    }

    Fl_Input url_{80, 15, 425, 28, "Server"};
    Fl_Input file_{80, 50, 330, 28, "File"};
    Fl_Button choose_{415, 50, 90, 28, "Choose..."};
    Fl_Progress progress_{15, 90, 490, 22};
    Fl_Box status_{15, 117, 490, 36};
    Fl_Button start_{215, 160, 90, 28, "Upload"};
    Fl_Button pause_{315, 160, 90, 28, "Pause"};
    Fl_Button cancel_{415, 160, 90, 28, "Cancel"};
    resup::Upload upload_;
};

int main(int argc, char **argv)
{
    Window window(argc > 1 ? argv[1] : "http://127.0.0.1:8080/upload", argc > 2 ? argv[2] : "");
    window.show();
    return Fl::run();
}
